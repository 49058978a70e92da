"""Answers that are errors: what is read out of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from endpoints.azure_gateway import failures
from endpoints.azure_gateway.errors import CallIds, ServerError, Throttled
from endpoints.azure_gateway.settings import CLOUDS, CloudSettings


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"error": {"code": "A", "message": "b"}}', ("A", "b")),
        (b'{"code": "A", "message": "b"}', ("A", "b")),
        (b'{"error": "plain"}', ("", "{'error': 'plain'}")),
        (b"null", ("", "")),
        (b"", ("", "")),
        (b"<html>bad gateway</html>", ("", "<html>bad gateway</html>")),
        (b"\xff\xfe", ("", "\ufffd\ufffd")),
    ],
)
def test_error_of__any_body__gives_code_and_text(content: bytes, expected: tuple[str, str]) -> None:
    assert failures.error_of(content) == expected


def test_error_of__endless_text__is_cut() -> None:
    assert len(failures.error_of(b"x" * 100_000)[1]) == 600


@pytest.mark.parametrize(
    ("value", "expected"),
    [("7", 7.0), ("0", 0.0), ("-3", 0.0), ("1.5", 1.5), ("soon", None), ("", None)],
)
def test_retry_after__number__is_seconds(value: str, expected: float | None) -> None:
    assert failures.retry_after({"Retry-After": value}) == expected


def test_retry_after__absent__is_unknown() -> None:
    assert failures.retry_after({}) is None


def test_retry_after__date__is_the_time_until_then() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=90)
    wait = failures.retry_after({"Retry-After": format_datetime(moment, usegmt=True)})
    assert wait is not None
    assert 60 < wait <= 90


@pytest.mark.parametrize(
    ("value", "expected"), [("00:00:05", 5.0), ("01:02:03.5", 3723.0), ("5", None), ("soon", None)]
)
def test_retry_after__of_resource_graph__is_the_end_of_its_window(value: str, expected: float | None) -> None:
    assert failures.retry_after({"x-ms-user-quota-resets-after": value}) == expected
    assert failures.retry_after({"Retry-After": "7", "x-ms-user-quota-resets-after": value}) == 7.0


def test_from_answer__overloaded__is_a_throttling_for_a_read_and_an_unknown_fate_for_a_write() -> None:
    read = failures.from_answer(529, {"Retry-After": "2"}, b"", CallIds(), write=False)
    write = failures.from_answer(529, {"Retry-After": "2"}, b"", CallIds(), write=True)
    assert (type(read), type(write)) == (Throttled, ServerError)
    assert (read.applied_unknown, write.applied_unknown) == (False, True)


@pytest.mark.parametrize("text", ["", "no", "perform action ''", "does not have authorization"])
def test_missing_action__not_named__is_empty(text: str) -> None:
    assert failures.missing_action(text) == ("", "")


def test_missing_action__of_a_vault__is_found_in_its_own_text() -> None:
    text = (
        "Caller is not authorized to perform action on resource.\r\nCaller: appid=a;oid=b;iss=c\r\n"
        "Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\n"
        "Resource: '/subscriptions/s/vaults/v/secrets/k'\r\nAssignment: (not found)"
    )
    assert failures.missing_action(text) == (
        "Microsoft.KeyVault/vaults/secrets/getSecret/action",
        "/subscriptions/s/vaults/v/secrets/k",
    )


def test_cloud__address_without_tls__is_refused() -> None:
    with pytest.raises(ValueError, match="https"):
        CloudSettings(resource_manager="http://localhost:1")


def test_cloud__from_a_metadata_document__has_its_addresses() -> None:
    document = {
        "name": "Own",
        "portal": "https://portal.own.example/",
        "resourceManager": "https://arm.own.example/",
        "authentication": {"loginEndpoint": "https://login.own.example/"},
        "suffixes": {"storage": "core.own.example"},
    }
    cloud = CloudSettings.from_metadata(document, ca_bundle="/ca.pem")
    assert (cloud.resource_manager, cloud.authority) == (
        "https://arm.own.example",
        "https://login.own.example",
    )
    assert (cloud.portal, cloud.ca_bundle) == ("https://portal.own.example", "/ca.pem")
    assert cloud.scope == "https://arm.own.example/.default"


def test_clouds__known_ones__go_by_the_sdks_names() -> None:
    assert set(CLOUDS) == {"AzureCloud", "AzureChinaCloud", "AzureUSGovernment"}
