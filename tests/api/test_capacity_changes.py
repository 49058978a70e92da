"""Changes of capacity through the API: asked for, shown and decided on as any change."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints.access.models import User
from endpoints.changes.models import Change
from tests.api.api import Api, seen
from tests.support.load import serve
from tests.support.people import make_endpoint
from tests.web.capacity import setting

pytestmark = pytest.mark.django_db
ADDRESS = "/workspaces/mlw-prod-weu/endpoints/checkout-risk/capacity-changes"
SCALE = {"want": "scale", "deployment": "blue", "instances": 3, "reason": "Too small."}
DELETE = {
    "want": "delete",
    "deployment": "green",
    "typed": "green",
    "scream": 3600,
    "reason": "Nobody asks it.",
}


@pytest.fixture
def endpoint(workspace):
    made = make_endpoint(workspace)
    serve(made.pk)
    return made


def test_scale__asked_for_by_finops__is_a_change_of_capacity(endpoint, finops):
    answer = Api(finops).post(ADDRESS, SCALE)

    body = answer.json()
    assert answer.status_code == 201
    assert answer["Location"] == f"/api/v1/changes/{body['number']}"
    assert (body["kind"], body["state"], body["origin"]) == ("capacity", "in_review", "")
    assert body["steps"] == [
        {
            "verb": "patch_capacity", "split": {"blue": 100}, "mirror": {}, "bake": 0, "click": False,
            "deployment": "blue", "instances": 3, "was": 2, "setting": "", "document": None, "previous": None,
        }
    ]  # fmt: skip
    assert body["may"]["capacity.create"] == {"allowed": True, "reason": ""}


def test_delete__asked_for__has_a_scream_test_before_it(endpoint, finops):
    steps = Api(finops).post(ADDRESS, DELETE).json()["steps"]

    assert [(one["verb"], one["bake"], one["deployment"]) for one in steps] == [
        ("put_split", 3600, ""),
        ("delete_deployment", 0, "green"),
    ]


def test_delete__without_its_scream__has_the_shortest_one(endpoint, finops, settings):
    settings.OPSPORTAL = settings.OPSPORTAL.model_copy(update={"scream_test_seconds": 7200})
    steps = Api(finops).post(ADDRESS, {**DELETE, "scream": 60}).json()
    short = Api(finops).post(ADDRESS, {name: DELETE[name] for name in DELETE if name != "scream"}).json()

    assert list(steps["errors"]) == ["scream"]
    assert short["steps"][0]["bake"] == 7200


def test_change__sent_again_with_its_key__is_the_first_one(endpoint, finops):
    answers = [Api(finops).post(ADDRESS, SCALE, Idempotency_Key="c-1") for _ in range(2)]
    other = Api(finops).post(ADDRESS, {**SCALE, "instances": 4}, Idempotency_Key="c-1")

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["number"] == answers[1].json()["number"]
    assert other.status_code == 409
    assert Change.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({**SCALE, "typed": "blue"}, "typed"),
        ({**SCALE, "instances": 2}, "instances"),
        ({**SCALE, "deployment": "gone"}, "deployment"),
        ({"want": "scale", "deployment": "blue", "reason": "So."}, "instances"),
        ({**DELETE, "typed": "gren"}, "typed"),
        ({**DELETE, "deployment": "blue", "typed": "blue"}, "deployment"),
        (
            {"want": "delete-endpoint", "deployment": "blue", "typed": "checkout-risk", "reason": "So."},
            "deployment",
        ),
        ({**SCALE, "reason": " "}, "reason"),
    ],
)
def test_order__that_can_not_be__is_told_by_its_field_and_stores_nothing(endpoint, finops, sent, field):
    answer = Api(finops).post(ADDRESS, sent)

    assert answer.status_code == 422
    assert answer["Content-Type"].startswith("application/problem+json")
    assert list(answer.json()["errors"]) == [field]
    assert not Change.objects.exists()


def autoscale(endpoint: Any, **changed: Any) -> dict[str, Any]:
    blue = endpoint.deployments.get(name="blue")
    subscription = blue.arm_id.split("/")[2]
    document = setting(1, 3)
    document["properties"]["targetResourceUri"] = blue.arm_id
    name = (
        f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Insights/autoscalesettings/blue"
    )
    return {
        "want": "autoscale", "deployment": "blue", "setting": name, "document": document, "previous": None,
        "reason": "At night nobody asks.",
    } | changed  # fmt: skip


def test_autoscale__asked_for__shows_the_documents(endpoint, finops):
    sent = autoscale(endpoint)
    step = Api(finops).post(ADDRESS, sent).json()["steps"][0]

    assert step["verb"] == "put_autoscale"
    assert (step["setting"], step["document"], step["previous"]) == (sent["setting"], sent["document"], None)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"setting": "/subscriptions/x/../providers/Microsoft.Compute/virtualMachines/db"}, "setting"),
        (
            {
                "setting": "/subscriptions/0f000000-0000-4000-8000-000000000001/resourceGroups/rg/providers/"
                "Microsoft.Insights/autoscalesettings/theirs"
            },
            "setting",
        ),
        ({"document": setting(1, 3)}, "document"),
    ],
)
def test_autoscale__of_what_is_not_the_deployments__is_refused(endpoint, finops, changed, field):
    answer = Api(finops).post(ADDRESS, autoscale(endpoint, **changed))

    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


def test_autoscale__whose_state_was_never_read__asks_for_what_stands(endpoint, finops):
    sent = autoscale(endpoint)
    del sent["previous"]
    answer = Api(finops).post(ADDRESS, sent)

    assert "never read" in answer.json()["errors"]["previous"][0]


def test_change__of_finops__is_approved_by_a_reviewer_started_by_an_operator_and_withdrawn_by_nobody_else(
    endpoint, finops, reviewer, operator
):
    change = Api(finops).post(ADDRESS, SCALE).json()
    number, accept = change["number"], [one["name"] for one in change["checks"] if one["needs_acceptance"]]

    own = Api(finops).post(f"/changes/{number}/approve", {}, **seen(number))
    approved = Api(reviewer).post(f"/changes/{number}/approve", {"accept": accept}, **seen(number))
    others = Api(operator).post(f"/changes/{number}/withdraw")
    started = Api(operator).post(f"/changes/{number}/start", {}, **seen(number))

    assert (own.status_code, approved.status_code, others.status_code) == (403, 200, 403)
    assert (started.status_code, started.json()["state"]) == (202, "applying")


def test_change__withdrawn_by_its_author__is_over(endpoint, finops):
    number = Api(finops).post(ADDRESS, SCALE).json()["number"]

    assert Api(finops).post(f"/changes/{number}/withdraw").json()["state"] == "withdrawn"


def test_change__edited__is_refused_for_what_it_is(endpoint, finops, requester: User):
    number = Api(requester).post(ADDRESS, SCALE).json()["number"]
    answer = Api(requester).send(
        "PUT", f"/changes/{number}", {"split": {"blue": 50, "green": 50}, "reason": "Else."}, **seen(number)
    )

    assert answer.status_code == 409
    assert "Nothing was stored" in answer.json()["detail"]
