"""What a log line may hold."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from opsportal.logs import formatter, redact

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("GET /x?sv=2024&sig=Zm9v%2Bbar%3D&se=1", "Zm9v"),
        ("GET /x?code=abc123&y=2", "abc123"),
        ('{"Authorization": "Bearer abc.def"}', "abc.def"),
        ("Authorization: Bearer abcdef", "abcdef"),
        ("authorization=Basic dXNlcjpwdw==", "dXNlcjpwdw"),
        (f"token is {JWT}", "c2lnbmF0dXJl"),
        ("postgresql://user:hunter2@db/x", "hunter2"),
        ("redis://:hunter2@127.0.0.1:6379/0", "hunter2"),
        ('{"client_secret": "hunter2"}', "hunter2"),
        ("password=hunter2 user=x", "hunter2"),
        ("used opt_0123456789abcdefghij today", "0123456789abcdefghij"),
    ],
)
def test_a_secret__in_a_log_line__is_hidden(line: str, secret: str) -> None:
    assert secret not in redact(line)
    assert "[hidden]" in redact(line)


@pytest.mark.parametrize(
    "line",
    [
        "CR-413 moved from approved to applying",
        "GET https://management.azure.com/subscriptions/1/x?api-version=2024-10-01",
        "sync of mlw-prod-weu took 1.25 s: 42 endpoints",
        "refused status=403 code=AuthorizationFailed arm_key=/subscriptions/1",
        "executor_started name=host-17-0123abcd",
    ],
)
def test_a_line__without_a_secret__is_left_alone(line: str) -> None:
    assert redact(line) == line


def _line(form: str, message: str, **fields: object) -> str:
    record = logging.LogRecord("room", logging.INFO, "x.py", 1, message, (), None)
    for name, value in fields.items():
        setattr(record, name, value)
    return formatter(form).format(record)


def test_a_line__of_any_library__is_json_with_time_level_and_name() -> None:
    told = json.loads(_line("json", "plain words"))
    assert (told["event"], told["level"], told["logger"]) == ("plain words", "info", "room")
    assert told["timestamp"].endswith("Z")


def test_a_line_break__in_somebodys_input__can_not_forge_a_line() -> None:
    assert "\n" not in _line("console", "name\n2026-01-01 [info] approved by nobody")


def test_a_line__within_a_request__carries_its_id() -> None:
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        assert json.loads(_line("json", "x"))["request_id"] == "abc"
