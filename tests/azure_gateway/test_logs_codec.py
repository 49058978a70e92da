"""Answers of Log Analytics to rows: what is taken, what is refused, and where the next page begins."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from endpoints.azure_gateway import logs_codec
from endpoints.azure_gateway.errors import Malformed
from endpoints.azure_gateway.records import LogPlace, LogSpan

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
STAMP = "2026-11-23T12:00:00.0000000Z"
TRAFFIC: dict[str, Any] = {
    "TimeGenerated": STAMP,
    "Arrived": "2026-11-23T12:04:00.1234567Z",
    "_ResourceId": "/Subscriptions/a/x/onlineEndpoints/Risk",
    "SubscriptionId": "A",
    "AzureMLWorkspaceName": "MLW",
    "EndpointName": "Risk",
    "DeploymentName": "Blue",
    "XRequestId": "6F1F0B3E-0000-4000-8000-000000000001",
    "XMSClientRequestId": "order-1",
    "ResponseCode": 200,
    "ModelStatusCode": 200,
    "TotalDurationMs": 12,
    "RequestPayloadSize": 100,
    "ResponsePayloadSize": 20,
}
LINE = {
    "request_id": "6f1f0b3e-0000-4000-8000-000000000001",
    "client_id": "order-1",
    "model_version": "risk:23",
    "confidence": 0.93,
    "scores": {"accept": 0.93, "decline": 0.07},
    "high_risk": False,
}


def answer(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    names = list(rows[0]) if rows else ["TimeGenerated"]
    columns = [{"name": name, "type": "string"} for name in names]
    table = {
        "name": "PrimaryResult",
        "columns": columns,
        "rows": [[row.get(name) for name in names] for row in rows],
    }
    return {"tables": [table], **more}


def said(text: str) -> dict[str, Any]:
    return answer(
        {
            "TimeGenerated": STAMP,
            "Arrived": STAMP,
            "_ResourceId": "/a/onlineEndpoints/risk",
            "DeploymentName": "blue",
            "Message": text,
        }
    )


def test_traffic__whole__is_read_with_names_in_lower_case() -> None:
    found = logs_codec.traffic(answer(TRAFFIC))

    (row,) = found.rows
    assert (found.unreadable, found.rest) == ((), None)
    assert (row.at, row.arrived) == (NOON, NOON + timedelta(minutes=4, microseconds=123456))
    assert (row.subscription, row.workspace, row.endpoint, row.deployment) == ("a", "mlw", "risk", "blue")
    assert row.resource_id == "/subscriptions/a/x/onlineendpoints/risk"
    assert (row.request_id, row.client_id) == ("6F1F0B3E-0000-4000-8000-000000000001", "order-1")
    assert (row.status, row.model_status, row.duration_ms) == (200, 200, 12)
    assert (row.request_bytes, row.response_bytes) == (100, 20)


def test_traffic__numbers_as_text_or_missing__are_numbers_and_unknown() -> None:
    changed = TRAFFIC | {
        "ResponseCode": "429",
        "ModelStatusCode": None,
        "TotalDurationMs": None,
        "DeploymentName": None,
    }
    (row,) = logs_codec.traffic(answer(changed)).rows

    assert (row.status, row.model_status, row.duration_ms, row.deployment) == (429, None, None, "")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("TimeGenerated", None),
        ("TimeGenerated", "yesterday"),
        ("Arrived", 5),
        ("ResponseCode", "OK"),
        ("ResponseCode", True),
        ("ResponseCode", 200.5),
        ("ResponseCode", "nan"),
        ("ResponseCode", "1e999"),
        ("TotalDurationMs", "long"),
        ("TotalDurationMs", float("inf")),
        ("XRequestId", 5),
        ("XRequestId", "a\x00b"),
        ("EndpointName", "\ud800"),
    ],
)
def test_traffic__one_row_that_makes_no_sense__is_named_and_spoils_no_other(field: str, value: Any) -> None:
    found = logs_codec.traffic(answer(TRAFFIC, TRAFFIC | {field: value}))

    assert len(found.rows) == 1
    assert [one.item for one in found.unreadable] == ["row 1 of AmlOnlineEndpointTrafficLog"]
    assert field in found.unreadable[0].reason


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"tables": 5},
        {"tables": []},
        {"tables": [{"name": "Other", "columns": [], "rows": []}]},
        {"tables": [{"name": "PrimaryResult", "columns": [{}], "rows": []}]},
        {"tables": [{"name": "PrimaryResult", "columns": [{"name": "a"}], "rows": [[1, 2]]}]},
        {"tables": [{"name": "PrimaryResult", "columns": [{"name": "a"}], "rows": 7}]},
    ],
)
def test_answer__that_is_none__is_malformed(document: Any) -> None:
    with pytest.raises(Malformed):
        logs_codec.traffic(document)


def test_page__that_is_full__goes_on_at_its_last_row() -> None:
    later = TRAFFIC | {"Arrived": "2026-11-23T12:05:00Z"}
    found = logs_codec.traffic(answer(TRAFFIC, later), most=2)

    assert len(found.rows) == 2
    assert found.rest == LogPlace(NOON + timedelta(minutes=5), NOON)


def test_page__cut_by_azure__goes_on_at_its_last_row_although_it_is_short() -> None:
    cut = answer(TRAFFIC, error={"code": "PartialError", "message": "too many"})

    assert logs_codec.traffic(cut).rest == LogPlace(NOON + timedelta(minutes=4, microseconds=123456), NOON)


def test_page__cut_with_nothing_to_go_on_from__is_malformed() -> None:
    with pytest.raises(Malformed, match="is cut"):
        logs_codec.traffic(answer(TRAFFIC | {"Arrived": None}, error={"code": "PartialError"}))


@pytest.mark.parametrize("before", ["", "2026-11-23 12:00:00,000 I "])
def test_line__of_a_model__is_read_wherever_it_stands(before: str) -> None:
    (line,) = logs_codec.model_lines(said(f"{before}opsportal.prediction {json.dumps(LINE)}\n")).rows

    assert (line.request_id, line.client_id, line.model_version) == (LINE["request_id"], "order-1", "risk:23")
    assert (line.confidence, line.high_risk) == (0.93, False)
    assert line.scores == LINE["scores"]
    assert (line.resource_id, line.deployment) == ("/a/onlineendpoints/risk", "blue")


def test_line__with_more_than_it_should_say__leaves_that_out() -> None:
    (line,) = logs_codec.model_lines(
        said("opsportal.prediction " + json.dumps(LINE | {"input": "Ada", "x": 1}))
    ).rows

    assert "Ada" not in repr(line)


def test_line__that_says_little__is_unknown_in_the_rest() -> None:
    (line,) = logs_codec.model_lines(said('opsportal.prediction {"request_id": "a"}')).rows

    assert (line.confidence, line.scores, line.high_risk, line.model_version) == (None, None, None, "")


@pytest.mark.parametrize(
    "text",
    [
        "opsportal.prediction",
        "opsportal.prediction {",
        "opsportal.prediction []",
        "opsportal.prediction " + "[" * 100_000,
        'opsportal.prediction {"confidence": "0.9"}',
        'opsportal.prediction {"confidence": true}',
        'opsportal.prediction {"confidence": NaN}',
        'opsportal.prediction {"confidence": ' + "9" * 400 + "}",
        'opsportal.prediction {"high_risk": 1}',
        'opsportal.prediction {"scores": [1]}',
        'opsportal.prediction {"scores": {"a": null}}',
        'opsportal.prediction {"scores": {"a": "b"}}',
        'opsportal.prediction {"scores": {"\\u0000": 1}}',
        'opsportal.prediction {"request_id": 5}',
        "opsportal.prediction " + json.dumps({"scores": {str(i): 0 for i in range(21)}}),
    ],
)
def test_line__that_is_none__is_named_and_guessed_at_in_nothing(text: str) -> None:
    found = logs_codec.model_lines(said(text))

    assert found.rows == ()
    assert len(found.unreadable) == 1


def test_query__of_traffic__asks_by_arrival_and_names_every_endpoint() -> None:
    text = logs_codec.traffic_query(LogSpan(NOON, NOON + timedelta(minutes=1)), {"b", "a"})

    assert text.splitlines() == [
        "AmlOnlineEndpointTrafficLog",
        "| where TimeGenerated >= datetime(2026-11-21T12:00:00.000000Z)",
        "| extend Arrived = ingestion_time()",
        "| where Arrived >= datetime(2026-11-23T12:00:00.000000Z) and Arrived < datetime(2026-11-23T12:01:00.000000Z)",
        "| where EndpointName in~ ('a', 'b')",
        "| order by Arrived asc, TimeGenerated asc",
        "| project TimeGenerated, Arrived, _ResourceId, SubscriptionId, AzureMLWorkspaceName, EndpointName,"
        " DeploymentName, XRequestId, XMSClientRequestId, ResponseCode, ModelStatusCode, TotalDurationMs,"
        " RequestPayloadSize, ResponsePayloadSize",
        "| take 10000",
    ]


def test_query__of_a_further_page__begins_at_the_place() -> None:
    place = LogPlace(NOON + timedelta(seconds=5), NOON)
    text = logs_codec.model_query(LogSpan(NOON, NOON + timedelta(minutes=1), place))

    assert (
        "| where Arrived > datetime(2026-11-23T12:00:05.000000Z) or (Arrived == datetime(2026-11-23T12:00:05.000000Z)"
        " and TimeGenerated >= datetime(2026-11-23T12:00:00.000000Z))"
    ) in text.splitlines()


@pytest.mark.parametrize(
    ("since", "until"), [(NOON, NOON), (NOON, NOON - timedelta(seconds=1)), (NOON.replace(tzinfo=None), NOON)]
)
def test_span__that_is_none__is_refused(since: datetime, until: datetime) -> None:
    with pytest.raises(ValueError, match="one time of known zone to a later one"):
        LogSpan(since, until)
