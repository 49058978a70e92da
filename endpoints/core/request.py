"""The id of the request or job at work, for every ledger entry and log line that it causes."""

from __future__ import annotations

from contextvars import ContextVar

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")
