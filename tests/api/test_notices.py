"""Channels and deliveries through the API: as on the page, with strict input."""

from __future__ import annotations

from typing import Any

import pytest

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.notices import services
from endpoints.notices.models import Channel
from tests.api.api import PREFIX, Api
from tests.notices.conftest import ada, post_office, reachable, receiver
from tests.notices.support import tell
from tests.support.people import INSTALLATION, make_person, token_for
from tests.support.receivers import Hook

__all__ = ["ada", "post_office", "reachable", "receiver"]
MAIL: dict[str, Any] = {
    "kind": "mail",
    "name": "Case desk",
    "address": "desk@example.org",
    "topics": ["case.raised"],
}


def test_webhook__made_tried_and_ended__tells_all_of_it(
    ada: User, receiver: Hook, workspace: Workspace
) -> None:
    api = Api(ada)
    made = api.post(
        "/notices/channels",
        MAIL | {"kind": "webhook", "address": receiver.url("/abcdefgh/ijkl"), "workspace": workspace.slug},
    )
    body = made.json()
    address = f"/notices/channels/{body['id']}"
    assert (made.status_code, made["Location"]) == (201, PREFIX + address)
    assert (body["workspace"], body["made_by"]["name"]) == (workspace.slug, "Ada")
    assert body["address"] == f"http://127.0.0.1:{receiver.port}/…ijkl"
    key = body.pop("signing_key")
    assert api.post(f"{address}/key").json() == {"signing_key": key}
    assert api.get(address).json() == body
    tried = api.post(f"{address}/test")
    assert (tried.status_code, tried.json()["state"], tried.json()["topic"]) == (
        202,
        "waiting",
        "notices.test",
    )
    tell(workspace_id=workspace.pk)
    assert services.deliver_due() == 2
    rows = api.get(f"/notices/deliveries?channel={body['id']}&state=sent").json()["items"]
    assert [row["topic"] for row in rows] == ["case.raised", "notices.test"]
    ended = api.post(f"{address}/end", {"reason": "Moved."}).json()
    assert (ended["ended_by"]["name"], ended["waiting"]) == ("Ada", 0)
    assert api.post(f"{address}/end").status_code == 409
    assert api.get("/notices/channels").json() == {"items": [], "next": None}
    assert [row["id"] for row in api.get("/notices/channels?show=ended").json()["items"]] == [body["id"]]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"address": "desk"}, "address"),
        ({"kind": "webhook", "address": "https://evil.example.org/"}, "address"),
        ({"topics": []}, "topics"),
        ({"topics": "case.raised"}, "topics"),
        ({"topics": ["case.gone"]}, "topics"),
        ({"topics": ["audit.checkpoint"], "workspace": "mlw-prod-weu"}, "topics"),
        ({"workspace": "no-such"}, "workspace"),
        ({"secret": "x"}, ""),
    ],
)
def test_channel__that_can_not_be__is_refused_by_field(
    ada: User, workspace: Workspace, wrong: dict[str, Any], field: str
) -> None:
    answer = Api(ada).post("/notices/channels", MAIL | wrong)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]
    assert not Channel.objects.exists()


def test_channel__that_never_was__is_not_found(ada: User) -> None:
    api = Api(ada)
    assert api.get("/notices/channels/99").status_code == 404
    for verb in ("end", "test", "key"):
        assert api.post(f"/notices/channels/99/{verb}").status_code == 404


def test_key__of_a_channel_for_mail__is_a_conflict(ada: User) -> None:
    made = Api(ada).post("/notices/channels", MAIL).json()
    assert made["signing_key"] == ""
    assert Api(ada).post(f"/notices/channels/{made['id']}/key").status_code == 409
    assert not Entry.objects.filter(action="channel.key_shown").exists()


def test_token__needs_the_scope_of_administrators(ada: User) -> None:
    for scopes, status in ((("read",), 403), (("admin",), 200)):
        assert Api(token=token_for(ada, *scopes)).get("/notices/channels").status_code == status


def test_refusal__goes_on_record_with_the_channel(ada: User) -> None:
    made = Api(ada).post("/notices/channels", MAIL).json()
    auditor = Api(make_person("alan", {INSTALLATION: ["auditor"]}))
    assert auditor.get(f"/notices/channels/{made['id']}").status_code == 200
    assert auditor.post(f"/notices/channels/{made['id']}/end").status_code == 403
    assert Entry.objects.filter(action="order.refused").count() == 1


def test_lists__of_many__go_on_by_page(ada: User) -> None:
    api = Api(ada)
    for number in range(3):
        api.post("/notices/channels", MAIL | {"address": f"desk{number}@example.org"})
    first = api.get("/notices/channels?limit=2").json()
    rest = api.get(first["next"].removeprefix(PREFIX)).json()
    assert ([len(first["items"]), len(rest["items"])], rest["next"]) == ([2, 1], None)
    assert api.get("/notices/deliveries?limit=0").status_code == 422
    assert api.get("/notices/deliveries?state=gone").status_code == 422
