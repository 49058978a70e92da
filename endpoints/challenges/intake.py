"""What programs send of requests, read strictly and fast: a field that is not known is refused by its name. Pure.

This is the allow-list that keeps payloads out: ids, names, numbers and flags pass, each with a form of its own, and no
field takes free text. Every mistake is named by its place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from endpoints.challenges import ids
from endpoints.challenges.bounds import MOST_SCORES, Bounds
from endpoints.challenges.fingerprint import is_sha256
from endpoints.challenges.recorded import Record

Problems = dict[str, list[str]]
_OFFSET = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d.*(?:Z|z|[+-]\d\d:?\d\d)")
_DEPLOYMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,119}")
_SCORE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_LONGEST_ID = 255
_MOST_BYTES, _MOST_MS, _LARGEST_SCORE = 2**40, 1e9, 1e15


class _Wrong(ValueError):
    """A value that can't be taken; the text says what would be."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How fields are read at one door. `fingerprint` None: no key, so that no body's hash is taken."""

    endpoint_id: int
    within: Bounds
    fingerprint: Callable[[str], bytes] | None = None
    no_key: str = ""


def read(items: Sequence[Any], reader: Reader) -> tuple[list[Record], Problems]:
    """The records, and what is wrong, by `records.<place>.<field>`; places count from 0."""
    records: list[Record] = []
    problems: Problems = {}
    for place, item in enumerate(items):
        found = _record(item, reader)
        if isinstance(found, Record):
            records.append(found)
        else:
            problems |= {_name(place, field): [text] for field, text in found.items()}
    return records, problems


def _name(place: int, field: str) -> str:
    return f"records.{place}.{field}" if field else f"records.{place}"


def _record(item: Any, reader: Reader) -> Record | dict[str, str]:
    if not isinstance(item, dict):
        return {"": "Send a JSON object."}
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, value in item.items():  # names are text: it was JSON
        read_field = READ.get(name)
        if read_field is None:
            wrong[str(name)[:60]] = f"There is no such field. Those taken are: {', '.join(READ)}."
        elif value is not None:
            try:
                values[_STORED_AS.get(name, str(name))] = read_field(value, reader)
            except _Wrong as error:
                wrong[name] = str(error)
    if not wrong:
        wrong = _missing(values)
    return wrong or Record(reader.endpoint_id, **values)


def _missing(values: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    if "at" not in values:
        found["at"] = "Say when the request was made."
    if "request_id" not in values and "client_id" not in values:
        found["request_id"] = "Name the request: by Azure's x-request-id, by the client's own id, or by both."
    return found


def _moment(value: Any, reader: Reader) -> datetime:
    if not isinstance(value, str) or not _OFFSET.fullmatch(value):
        raise _Wrong("Give a time with its offset, such as 2026-11-25T12:34:56.789Z.")
    try:
        at = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Wrong("There is no such time.") from None
    if at < reader.within.oldest:
        raise _Wrong(f"Records are kept since {reader.within.oldest:%Y-%m-%d}; this one is older.")
    if at > reader.within.newest:
        raise _Wrong("This time has not come.")
    return at


def _request_id(value: Any, reader: Reader) -> str:
    found = ids.request_id(value) if isinstance(value, str) and len(value) <= _LONGEST_ID else ""
    if not found:
        raise _Wrong("Azure's x-request-id is a GUID.")
    return found


def _client_id(value: Any, reader: Reader) -> str:
    found = ids.client_id(value) if isinstance(value, str) and len(value) <= _LONGEST_ID else ""
    if not found:
        raise _Wrong("A client's id has letters, digits, - and _; Azure keeps the first 40.")
    return found


def _matching(form: re.Pattern[str], says: str) -> Callable[[Any, Reader], str]:
    def text(value: Any, reader: Reader) -> str:
        if not isinstance(value, str) or not form.fullmatch(value):
            raise _Wrong(says)
        return value

    return text


def _deployment(value: Any, reader: Reader) -> str:
    return _named(value, reader).lower()


def _whole(largest: int, smallest: int = 0) -> Callable[[Any, Reader], int]:
    def whole(value: Any, reader: Reader) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not smallest <= value <= largest:
            raise _Wrong(f"Give a whole number from {smallest:,} to {largest:,}.")
        return value

    return whole


def _number(smallest: float, largest: float) -> Callable[[Any, Reader], float]:
    def number(value: Any, reader: Reader) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or not smallest <= value <= largest:
            raise _Wrong(f"Give a number from {smallest:g} to {largest:g}.")
        return float(value)

    return number


def _flag(value: Any, reader: Reader) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("Give true or false.")
    return value


def _scores(value: Any, reader: Reader) -> dict[str, float]:
    if not isinstance(value, dict) or len(value) > MOST_SCORES:
        raise _Wrong(f"Give an object of at most {MOST_SCORES} names with their numbers.")
    if not all(_SCORE.fullmatch(name) for name in value):
        raise _Wrong("A score's name has letters, digits, . - and _, 40 at most.")
    try:
        return {name: _any_number(score, reader) for name, score in value.items()}
    except _Wrong as error:
        raise _Wrong(f"Of each score: {error}") from None


def _fingerprint(value: Any, reader: Reader) -> bytes:
    if reader.fingerprint is None:
        raise _Wrong(reader.no_key)
    if not isinstance(value, str) or not is_sha256(value):
        raise _Wrong("Give the SHA-256 of the body in 64 hexadecimal digits.")
    return reader.fingerprint(value)


_any_number = _number(-_LARGEST_SCORE, _LARGEST_SCORE)
_named = _matching(_DEPLOYMENT, "A deployment's name has letters, digits, - and _.")
_version = _matching(_VERSION, "A version has letters, digits and . _ : / @ + -, no blanks, 120 at most.")

READ: Mapping[str, Callable[[Any, Reader], Any]] = {
    "at": _moment,
    "request_id": _request_id,
    "client_id": _client_id,
    "deployment": _deployment,
    "model_version": _version,
    "app_version": _version,
    "status": _whole(999),
    "model_status": _whole(999),
    "duration_ms": _number(0, _MOST_MS),
    "request_bytes": _whole(_MOST_BYTES),
    "response_bytes": _whole(_MOST_BYTES),
    "confidence": _number(0, 1),
    "high_risk": _flag,
    "scores": _scores,
    "pinned": _flag,
    "body_sha256": _fingerprint,
}
"""By field, how it is read. There is no other field."""
_STORED_AS = {"body_sha256": "fingerprint"}
