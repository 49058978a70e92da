"""Records of requests through the API: taken whole or not at all, nothing but the allow-list, found by either id."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from pydantic import SecretStr

from endpoints.access.models import User, Workspace
from endpoints.audit.models import Entry
from endpoints.challenges.models import Prediction
from endpoints.challenges.services.take import MOST_AT_ONCE
from endpoints.inventory.models import Endpoint
from tests.api.api import PREFIX, Api
from tests.challenges.recording import ago, guid
from tests.support.people import make_endpoint, token_for

pytestmark = pytest.mark.django_db
HOME = "/workspaces/mlw-prod-weu/endpoints/checkout-risk/predictions"
BODY = sha256(b'{"data": [1, 2, 3]}').hexdigest()


@pytest.fixture
def endpoint(workspace: Workspace) -> Endpoint:
    return make_endpoint(workspace)


@pytest.fixture
def api(endpoint: Endpoint, requester: User) -> Api:
    """A program that may send, and nothing else."""
    return Api(token=token_for(requester, "predictions"))


@pytest.fixture
def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings.OPSPORTAL.model_copy(update={"fingerprint_key": SecretStr("k" * 32)})
    monkeypatch.setattr(settings, "OPSPORTAL", config)


def item(number: int = 1, **changes: Any) -> dict[str, Any]:
    good = {
        "at": (ago(minutes=5) - timedelta(seconds=number)).isoformat(),
        "request_id": guid(number),
        "client_id": f"order-{number}",
        "deployment": "green",
        "status": 200,
        "confidence": 0.62,
    }
    return good | changes


def lines(api: Api, raw: bytes, path: str = HOME) -> HttpResponse:
    return api.client.generic(
        "POST", PREFIX + path, raw, content_type="application/x-ndjson", headers=api.headers
    )


def test_a_batch__sent_twice__is_there_once(api: Api) -> None:
    batch = {"records": [item(1), item(2)]}
    assert api.post(HOME, batch).json() == {"records": 2, "new": 2, "merged": 0, "same": 0}
    assert api.post(HOME, batch).json() == {"records": 2, "new": 0, "merged": 0, "same": 2}
    model = {"records": [item(1, at=ago(minutes=4).isoformat(), model_version="triage:7")]}
    assert api.post(f"{HOME}?source=model", model).json()["merged"] == 1


def test_lines__of_records__are_taken_like_a_batch(api: Api) -> None:
    raw = b"\n".join(json.dumps(item(number)).encode() for number in (1, 2)) + b"\n\n"
    assert lines(api, raw).json()["new"] == 2
    broken = lines(api, raw + b"{\n")
    assert (broken.status_code, broken.json()["detail"].startswith("Line 4 is not JSON")) == (400, True)
    assert lines(api, b"").status_code == 422


def test_mistakes__in_a_batch__are_all_named_by_place_and_nothing_is_stored(api: Api) -> None:
    batch = [item(1), item(2, status="200", confidence=1.5), 7, {"at": "yesterday"}, item(3, payload="x")]
    answer = api.post(HOME, {"records": batch})
    assert answer.status_code == 422
    assert sorted(answer.json()["errors"]) == [
        "records.1.confidence", "records.1.status", "records.2", "records.3.at", "records.4.payload",
    ]  # fmt: skip
    assert "Nothing was changed." in answer.json()["detail"]
    assert Prediction.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"body": "x"}, "body"),
        ({"input": {}}, "input"),
        ({"": 1}, ""),
        ({"fingerprint": "00"}, "fingerprint"),
        ({"at": None}, "at"),
        ({"at": "2026-11-25T12:34:00"}, "at"),
        ({"at": "2026-11-25"}, "at"),
        ({"at": "2026-13-25T12:34:00Z"}, "at"),
        ({"at": 1764074040}, "at"),
        ({"at": "1999-11-25T12:34:00Z"}, "at"),
        ({"at": "2999-11-25T12:34:00Z"}, "at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"request_id": "order-1"}, "request_id"),
        ({"request_id": None, "client_id": None}, "request_id"),
        ({"client_id": "äöü"}, "client_id"),
        ({"client_id": "x" * 256}, "client_id"),
        ({"client_id": 7}, "client_id"),
        ({"deployment": "the patient said"}, "deployment"),
        ({"model_version": "a sentence of a person"}, "model_version"),
        ({"app_version": "x" * 121}, "app_version"),
        ({"status": 200.0}, "status"),
        ({"status": True}, "status"),
        ({"status": 1000}, "status"),
        ({"duration_ms": "12"}, "duration_ms"),
        ({"duration_ms": -1}, "duration_ms"),
        ({"request_bytes": 2**63}, "request_bytes"),
        ({"confidence": "high"}, "confidence"),
        ({"high_risk": 1}, "high_risk"),
        ({"pinned": "true"}, "pinned"),
        ({"scores": [1]}, "scores"),
        ({"scores": {"a b": 1}}, "scores"),
        ({"scores": {"a": "x"}}, "scores"),
        ({"scores": {"a": 1e300}}, "scores"),
        ({"scores": {str(n): 1 for n in range(21)}}, "scores"),
        ({"body_sha256": BODY}, "body_sha256"),
    ],
)
def test_a_record__of_another_shape__is_refused_by_place_and_field(
    api: Api, changes: dict[str, Any], field: str
) -> None:
    answer = api.post(HOME, {"records": [item(1), item(2, **changes)]})
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [f"records.1.{field}".rstrip(".")]
    assert Prediction.objects.count() == 0


@pytest.mark.parametrize(
    "body", [{}, {"records": []}, {"records": {}}, {"records": [], "source": "log"}, [], [{}], "x"]
)
def test_a_batch__that_is_none__is_refused(api: Api, body: Any) -> None:
    assert api.post(HOME, body).status_code == 422


@pytest.mark.parametrize("raw", [b"{", b'{"records":[{"at":NaN}]}', b'{"records":1,"records":2}', b"\xff"])
def test_a_body__that_is_no_json__is_refused(api: Api, raw: bytes) -> None:
    assert api.send("POST", HOME, raw).status_code == 400


def test_a_batch__that_is_too_large__is_refused_with_its_limit(api: Api) -> None:
    many = api.post(HOME, {"records": [item(1)] * (MOST_AT_ONCE + 1)})
    assert (many.status_code, "1 to 5,000" in many.json()["detail"]) == (422, True)
    large = api.send("POST", HOME, b'{"records":[' + b" " * (5 * 1_048_576) + b"]}")
    assert (large.status_code, "5 MiB" in large.json()["detail"]) == (413, True)


def test_the_largest_batch__of_records__is_taken_within_seconds(api: Api) -> None:
    many = [item(number) for number in range(1, MOST_AT_ONCE + 1)]
    began = time.monotonic()
    assert api.post(HOME, {"records": many}).json()["new"] == MOST_AT_ONCE
    assert time.monotonic() - began < 10


def test_the_source__log__is_for_the_portal_alone(api: Api) -> None:
    answer = api.post(f"{HOME}?source=log", {"records": [item()]})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["source"])


def test_sending__many_times_a_minute__is_not_limited(api: Api) -> None:
    assert {api.post(HOME, {"records": [item(n)]}).status_code for n in range(1, 36)} == {200}


def test_a_token__for_predictions__opens_nothing_else(api: Api, requester: User) -> None:
    assert api.post(HOME, {"records": [item()]}).status_code == 200
    assert api.get("/endpoints").status_code == 403
    assert api.get("/predictions?id=order-1").status_code == 403
    assert api.post("/workspaces/mlw-prod-weu/sync").status_code == 403
    reader = Api(token=token_for(requester, "read", "change"))
    assert reader.post(HOME, {"records": [item()]}).status_code == 403


def test_a_record__is_found_by_either_id_and_reading_it_is_on_record(api: Api, supervisor: User) -> None:
    api.post(HOME, {"records": [item(1, scores={"fraud": 0.62}, pinned=False)]})
    reader = Api(supervisor)
    for asked in (guid(1).upper(), "order-1"):
        body = reader.get(f"/predictions?id={asked}").json()
        (row,) = body["items"]
        assert (row["workspace"], row["endpoint"], row["deployment"]) == (
            "mlw-prod-weu", "checkout-risk", "green",
        )  # fmt: skip
        assert (row["confidence"], row["scores"], row["pinned"], row["duration_ms"]) == (
            0.62, {"fraud": 0.62}, False, None,
        )  # fmt: skip
        assert (row["sources"][0]["source"], row["origin"]["deployment"]) == ("caller", "caller")
        assert (row["has_fingerprint"], row["body_matches"], body["is_cut"]) == (False, None, False)
    assert Entry.objects.filter(action="evidence.read").count() == 1


def test_a_record__of_a_workspace_that_is_not_yours__is_not_found(
    api: Api, outsider: User, finops: User, admin: User
) -> None:
    api.post(HOME, {"records": [item()]})
    for user in (outsider, finops, admin):
        answer = Api(user).get("/predictions?id=order-1")
        assert (answer.status_code, answer.json()["items"]) == (200, [])


@pytest.mark.parametrize("query", ["", "?id=", "?id=x&near=noon", f"?id={'x' * 301}", "?id=x&body_sha256=1"])
def test_a_search__that_can_not_be__is_refused(endpoint: Endpoint, supervisor: User, query: str) -> None:
    assert Api(supervisor).get(f"/predictions{query}").status_code == 422


@pytest.mark.parametrize("asked", ["%00", "%F0%9F%98%80", "'; DROP TABLE x", "{}", "%25"])
def test_a_search__for_what_is_no_id__finds_nothing(endpoint: Endpoint, supervisor: User, asked: str) -> None:
    answer = Api(supervisor).get(f"/predictions?id={asked}")
    assert answer.status_code in (200, 422)
    assert answer.json().get("items", []) == []


@pytest.mark.usefixtures("with_key")
def test_a_body__whose_hash_was_sent__is_proved_and_another_is_not(api: Api, supervisor: User) -> None:
    assert api.post(HOME, {"records": [item(1, body_sha256=BODY), item(2)]}).status_code == 200
    stored = Prediction.objects.get(client_id="order-1").fingerprint
    assert stored is not None
    assert bytes(stored).hex() != BODY

    def proof(asked: str, digest: str) -> Any:
        return Api(supervisor).get(f"/predictions?id={asked}&body_sha256={digest}").json()["items"][0]

    assert proof("order-1", BODY.upper())["body_matches"] is True
    assert proof("order-1", sha256(b"another").hexdigest())["body_matches"] is False
    unknown = proof("order-2", BODY)
    assert (unknown["body_matches"], unknown["has_fingerprint"]) == (None, False)


def test_a_proof__where_no_key_is_set__is_refused_in_words(api: Api, supervisor: User) -> None:
    refused = api.post(HOME, {"records": [item(1, body_sha256=BODY)]})
    assert "FINGERPRINT_KEY is empty" in refused.json()["errors"]["records.0.body_sha256"][0]
    api.post(HOME, {"records": [item(1)]})
    answer = Api(supervisor).get(f"/predictions?id=order-1&body_sha256={BODY}")
    assert (answer.status_code, "FINGERPRINT_KEY is empty" in answer.json()["detail"]) == (503, True)
