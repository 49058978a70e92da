"""Challenge cases through the API: the same rules as on pages, strict input, refusals on record."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.challenges.models import Case, Policy
from endpoints.inventory.models import Endpoint
from tests.api.api import PREFIX, Api
from tests.challenges.cases import QUESTION, REASON, decide, endpoint, raised, record, second, two_people
from tests.challenges.recording import ago, guid
from tests.support.people import token_for

__all__ = ["endpoint", "second"]
pytestmark = pytest.mark.django_db


def body(**more: Any) -> dict[str, Any]:
    return {"workspace": "mlw-prod-weu", "question": QUESTION, **more}


def test_case__raised_decided_and_opened_again__by_a_person_through_the_api(
    supervisor: User, endpoint: Endpoint
) -> None:
    api = Api(supervisor)
    made = api.post("/challenges", body(asked_id=record(endpoint, confidence=0.62), reference="F-1"))
    case = made.json()
    here = f"/challenges/{case['number']}"
    assert (made.status_code, made["Location"]) == (201, PREFIX + here)
    assert (case["state"], case["via"], case["record"]) == ("open", "api", f"r:{guid(1)}")
    assert (case["question"]["text"], case["endpoint"], case["reference"]) == (
        QUESTION,
        "checkout-risk",
        "F-1",
    )
    assert (case["evidence"]["is_whole"], case["evidence"]["passport"]["sure"]) == (True, "certain")
    assert case["clocks"][0]["name"] == "Same-day answer"
    assert case["model"]
    stale = api.post(f"{here}/decision", {"version": 1, "outcome": "stands", "reason": REASON})
    assert stale.status_code == 409
    verdict = {"version": case["version"], "outcome": "overturned", "reason": REASON}
    closed = api.post(f"{here}/decision", verdict).json()
    assert (closed["state"], closed["outcome"], closed["decided_by"]["name"]) == (
        "closed",
        "overturned",
        "Sina",
    )
    assert closed["moves"][-1]["notes"] == [{"kind": "reason", "text": REASON, "erased_at": None}]
    again = api.post(f"{here}/reopening", {"version": closed["version"], "reason": "A new picture."}).json()
    assert (again["state"], again["outcome"]) == ("open", None)


def test_evidence__read__is_text_with_its_hash(supervisor: User, endpoint: Endpoint) -> None:
    case = raised(supervisor, endpoint, record(endpoint))
    api = Api(supervisor)
    found = api.get(f"/challenges/{case.pk}/evidence/1").json()
    assert sha256(found["document"].encode()).hexdigest() == found["sha256"]
    assert json.loads(found["document"])["endpoint_id"] == endpoint.pk
    assert api.get(f"/challenges/{case.pk}/evidence/9").status_code == 404
    assert api.get(f"/challenges/{case.pk}").status_code == 200
    assert Entry.objects.filter(action="evidence.read", subject=f"case:{case.pk}").count() == 1


def test_case__raised_twice_with_one_key__is_one(supervisor: User, endpoint: Endpoint) -> None:
    api, asked = Api(supervisor), record(endpoint)
    numbers = {
        api.post("/challenges", body(asked_id=asked), Idempotency_Key="k").json()["number"] for _ in range(3)
    }
    assert len(numbers) == 1
    other = api.post("/challenges", body(asked_id=asked, question="Else?"), Idempotency_Key="k")
    assert other.status_code == 409


def test_case__of_several_records__is_chosen_among_the_candidates(
    supervisor: User, endpoint: Endpoint
) -> None:
    for number in (1, 2):
        record(endpoint, number, ago(hours=number), client_id="retried")
    api = Api(supervisor)
    case = api.post("/challenges", body(asked_id="retried")).json()
    assert (case["record"], len(case["candidates"])) == (None, 2)
    one = case["candidates"][1]
    choice = {key: one[key] for key in ("endpoint", "day", "record")} | {"version": case["version"]}
    here = f"/challenges/{case['number']}/record"
    assert api.post(here, choice | {"record": "r:none"}).status_code == 422
    chosen = api.post(here, choice).json()
    assert (chosen["record"], chosen["candidates"], chosen["evidence"]["number"]) == (f"r:{guid(2)}", [], 1)


def test_case__worked_on_through_the_api__has_all_that_the_page_has(
    supervisor: User, second: User, endpoint: Endpoint
) -> None:
    one, two = (raised(supervisor, endpoint, record(endpoint, number)) for number in range(2))
    api, here = Api(supervisor), f"/challenges/{one.pk}"
    assert api.post(f"{here}/assignment", {"to": f"user:{second.pk}"}).json()["assigned_to"]["name"] == "Saul"
    assert api.post(f"{here}/assignment", {"to": "user:999999"}).status_code == 422
    assert api.post(f"{here}/comments", {"comment": "Look."}).status_code == 201
    linked = api.post(f"{here}/links", {"other": two.pk, "why": "same person"}).json()
    assert linked["links"] == [{"number": two.pk, "state": "open", "why": "same person"}]
    assert linked["same_model"]["challenged"] == 2
    collected = api.post(f"{here}/evidence", {"version": linked["version"]})
    assert (collected.status_code, collected.json()["evidence"]["number"]) == (201, 2)
    kinds = [move["kind"] for move in collected.json()["moves"]]
    assert kinds == ["raised", "evidence collected", "assigned", "commented", "linked", "evidence collected"]


def test_decision__under_two_roles__is_confirmed_or_sent_back_by_another(
    supervisor: User, second: User, admin: User, workspace: Workspace, endpoint: Endpoint
) -> None:
    two_people(admin, workspace)
    case = decide(supervisor, raised(supervisor, endpoint, record(endpoint)))
    mine, theirs, here = Api(supervisor), Api(second), f"/challenges/{case.pk}"
    assert mine.post(f"{here}/confirmation", {"version": case.version}).status_code == 403
    assert Entry.objects.filter(action="order.refused", subject=f"case:{case.pk}").exists()
    assert [row["number"] for row in theirs.get("/challenges?tab=mine").json()["items"]] == [case.pk]
    back = theirs.post(f"{here}/sending-back", {"version": case.version, "reason": "Look again."}).json()
    assert back["state"] == "open"
    case = decide(supervisor, case, "stands")
    closed = theirs.post(f"{here}/confirmation", {"version": case.version}).json()
    assert (closed["state"], closed["outcome"], closed["confirmed_by"]["name"]) == (
        "closed",
        "stands",
        "Saul",
    )


def test_hold_and_erasure__take_two_people_and_no_token(
    supervisor: User, second: User, endpoint: Endpoint
) -> None:
    case = decide(supervisor, raised(supervisor, endpoint, record(endpoint)))
    mine, theirs, here = Api(supervisor), Api(second), f"/challenges/{case.pk}"
    wanted = {"since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z", "reason": "A court"}
    robot = Api(token=token_for(supervisor, "read", "cases"))
    assert robot.post(f"{here}/holds", wanted).status_code == 403
    (hold,) = mine.post(f"{here}/holds", wanted).json()["legal_holds"]
    assert mine.post(f"{here}/holds/{hold['id']}/agreement").status_code == 403
    assert theirs.post(f"{here}/holds/{hold['id']}/agreement").json()["legal_hold"] is True
    assert mine.post(f"{here}/erasure", {"reason": "Art. 17"}).status_code == 409
    assert mine.post(f"{here}/holds/{hold['id']}/end", {"reason": "Over"}).json()["legal_hold"] is False
    assert mine.post(f"{here}/erasure", {"reason": "Art. 17"}).status_code == 201
    assert mine.send("DELETE", f"{here}/erasure").json()["erasure"] is None
    assert mine.post(f"{here}/erasure", {"reason": "Art. 17"}).status_code == 201
    assert mine.post(f"{here}/erasure/agreement").status_code == 403
    assert theirs.post(f"{here}/erasure/agreement").json()["question"]["text"] == ""
    listed = theirs.get("/challenges/erasures").json()["items"]
    assert [(row["case"], row["texts"] is None) for row in listed] == [(case.pk, False), (case.pk, True)]


def test_token__for_cases__raises_them_for_a_claims_system_and_sees_only_with_read(
    supervisor: User, endpoint: Endpoint
) -> None:
    asked = record(endpoint)
    assert (
        Api(token=token_for(supervisor, "read")).post("/challenges", body(asked_id=asked)).status_code == 403
    )
    made = Api(token=token_for(supervisor, "read", "cases")).post("/challenges", body(asked_id=asked))
    assert made.status_code == 201
    assert Case.objects.get().raised_by == f"user:{supervisor.pk}"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"question": ""}, "question"),
        ({"question": "x" * 2001}, "question"),
        ({"asked_id": 5}, "asked_id"),
        ({"asked_id": ""}, "asked_id"),
        ({"asked_at": "yesterday"}, "asked_at"),
        ({"reference": "x" * 81}, "reference"),
        ({"payload": "x"}, ""),
    ],
)
def test_case__that_can_not_be__is_refused_by_field(
    supervisor: User, endpoint: Endpoint, wrong: dict[str, Any], field: str
) -> None:
    answer = Api(supervisor).post("/challenges", body(asked_id="x") | wrong)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert not Case.objects.exists()


def test_queue__filtered_and_paged__names_the_next_page(supervisor: User, endpoint: Endpoint) -> None:
    for number in range(3):
        raised(supervisor, endpoint, record(endpoint, number), reference=f"F-{number}")
    api = Api(supervisor)
    first = api.get("/challenges?tab=open&limit=2").json()
    rest = api.get(first["next"].removeprefix(PREFIX)).json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    assert len(api.get("/challenges?reference=F-1").json()["items"]) == 1
    assert len(api.get("/challenges?workspace=mlw-prod-weu&endpoint=checkout-risk").json()["items"]) == 3
    assert api.get("/challenges?endpoint=checkout-risk").status_code == 422
    assert len(api.get(f"/challenges?id={guid(1)}").json()["items"]) == 1


def test_policy__through_the_api__is_set_by_administrators_and_read_by_insiders(
    supervisor: User, admin: User, outsider: User, workspace: Workspace
) -> None:
    here = "/workspaces/mlw-prod-weu/challenge-policy"
    assert Api(supervisor).get(here).json()["now"]["since"] is None
    clock = {"name": "Law", "days": 28, "source": "GDPR Art. 12(3)", "target": False}
    wanted = {"clocks": [clock], "two_roles": True, "band": 0.7}
    assert Api(supervisor).post(here, wanted).status_code == 403
    for wrong in (
        {"clocks": [clock | {"hours": 1}]},
        {"clocks": [clock] * 2},
        {"band": 2},
        {"two_roles": "yes"},
    ):
        assert Api(admin).post(here, wanted | wrong).status_code == 422
    assert not Policy.objects.exists()
    made = Api(admin).post(here, wanted).json()
    assert (made["now"]["clocks"][0]["hours"], made["now"]["set_by"]["name"]) == (672, "Ada")
    assert Api(outsider).get(here).status_code == 404


def test_case__for_strangers_and_who_may_not__is_not_there_or_refused(
    supervisor: User, finops: User, outsider: User, auditor: User, endpoint: Endpoint
) -> None:
    here = f"/challenges/{raised(supervisor, endpoint, record(endpoint)).pk}"
    assert Api(outsider).get(here).status_code == 404
    assert Api(finops).get(here).status_code == 403
    assert Api(auditor).get(here).status_code == 200
    assert Api(auditor).post(f"{here}/comments", {"comment": "x"}).status_code == 403
    assert Api(outsider).get("/challenges").json()["items"] == []
