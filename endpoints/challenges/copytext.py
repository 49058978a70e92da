"""Records in PostgreSQL's text COPY format, and back from what the database answers. Pure.

Source: the manual's page on COPY, "Text Format": tab between columns, "\\N" for NULL, a backslash before what is
special.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC
from typing import Any

from endpoints.challenges.merge import Merged
from endpoints.challenges.recorded import Source
from endpoints.challenges.seen import givers, jsonable, moments, native, packed_origin

_TEXTS = ("request_id", "client_id", "deployment", "model_version", "app_version")
_PLAIN = (
    "status",
    "model_status",
    "duration_ms",
    "request_bytes",
    "response_bytes",
    "confidence",
    "high_risk",
)
_MOMENTS = (Source.LOG, Source.CALLER, Source.MODEL)
COLUMNS = (
    "day",
    "endpoint_id",
    "key",
    "at",
    *_TEXTS,
    *_PLAIN,
    "scores",
    "pinned",
    "fingerprint",
    "origin",
    "conflicts",
    "log_known_at",
    "caller_known_at",
    "model_known_at",
)
"""In the order of `encoded` and `decoded`."""
_DOCUMENTS = ("scores", "origin", "conflicts")
_NULL = "\\N"
_SPECIAL = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
# One for all: what json.dumps makes anew for every call with options.
_json: Callable[[Any], str] = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def encoded(rows: Iterable[Merged]) -> bytes:
    """The records as `COPY … FROM STDIN` takes them."""
    return "".join([_line(row) for row in rows]).encode()


def decoded(found: Sequence[Any]) -> Merged:
    """A record as it is stored; `found` has COLUMNS, and its documents are text, as Django leaves them."""
    row = dict(zip(COLUMNS, found, strict=True))
    for name in _DOCUMENTS:
        row[name] = None if row[name] is None else json.loads(row[name])
    texts = {name: row[name] for name in _TEXTS if row[name]}
    others = {name: row[name] for name in (*_PLAIN, "scores", "pinned") if row[name] is not None}
    values = {"at": row["at"].astimezone(UTC), **texts, **others}
    if row["fingerprint"] is not None:
        values["fingerprint"] = bytes(row["fingerprint"])
    conflicts = {
        name: {source: native(name, value) for source, value in said.items()}
        for name, said in (row["conflicts"] or {}).items()
    }
    known = {source: row[f"{source}_known_at"] for source in _MOMENTS if row[f"{source}_known_at"]}
    return Merged(
        row["endpoint_id"],
        row["day"],
        row["key"],
        values,
        givers=givers(row["origin"], values),
        conflicts=conflicts,
        later=moments(row["origin"]),
        known=known,
    )


def _line(row: Merged) -> str:
    say = row.values.get
    fields = [
        row.day.isoformat(),
        str(row.endpoint_id),
        row.key.translate(_SPECIAL),
        row.at.isoformat(),
        *[say(name, "").translate(_SPECIAL) for name in _TEXTS],
        *[_NULL if (value := say(name)) is None else str(value) for name in _PLAIN],
        _document(say("scores")),
        _NULL if (pinned := say("pinned")) is None else str(pinned),
        _NULL if (fingerprint := say("fingerprint")) is None else f"\\\\x{fingerprint.hex()}",
        _document(packed_origin(row.givers, row.later)),
        _document(_told(row) or None),
        *[row.known[source].isoformat() if source in row.known else _NULL for source in _MOMENTS],
    ]
    return "\t".join(fields) + "\n"


def _document(value: Any) -> str:
    return _NULL if value is None else _json(value).translate(_SPECIAL)


def _told(row: Merged) -> dict[str, dict[str, Any]]:
    return {
        name: {str(source): jsonable(name, value) for source, value in said.items()}
        for name, said in row.conflicts.items()
    }
