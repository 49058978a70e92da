"""Structured logging with one filter that no secret passes.

A secret in a log outlives its rotation, so the filter works on the finished line: whoever logged it, and
through whichever library.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import structlog

_HIDDEN = "[hidden]"
_SECRETS = re.compile(
    r"""
    (?P<lead>
        \b(?:authorization["']?\s*[:=]\s*["']?)(?:bearer|basic|token)?\s*
      | \bbearer\s+
      | (?:^|[?&;"'\s{])(?:sig|key|(?:\w+_)?token|password|(?:\w+_)?secret)["']?\s*[=:]\s*["']?
      | [?&]code=
      | ://[^/\s:@]*:(?=[^/\s@]+@)
    )
    (?P<secret>[^\s"'&,;}@]+)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*")
_API_TOKEN = re.compile(r"\bopt_[A-Za-z0-9_-]{8,}")
_BREAKS = re.compile(r"[\r\n\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def redact(text: str) -> str:
    """`text` without keys, signatures, bearer tokens, passwords in URLs and API tokens."""
    text = _JWT.sub(_HIDDEN, text)
    text = _API_TOKEN.sub(_HIDDEN, text)
    return _SECRETS.sub(lambda found: found["lead"] + _HIDDEN, text)


class RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """The last step before a line is written."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def one_line(_: Any, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Line breaks inside values could forge log lines in console output."""
    return {
        name: _BREAKS.sub(" ", value) if isinstance(value, str) and name != "exception" else value
        for name, value in event.items()
    }


_SHARED: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    one_line,
]


def configure(*, level: str, form: str) -> dict[str, Any]:
    """Set structlog up and return the dictionary for Django's LOGGING."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "opsportal.logs.formatter", "form": form}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Azure's SDK logs each request's headers and body at INFO, Celery three lines for each tick.
            "azure": {"level": "WARNING"},
            "celery": {"level": "WARNING"},
            "django.server": {"handlers": [], "propagate": True},
        },
    }


def formatter(form: str) -> RedactingFormatter:
    """What Django's LOGGING calls to make the formatter."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    )
    return RedactingFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
