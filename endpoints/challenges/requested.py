"""What sources said of the request: ids, times, sizes, confidence, and where they contradict each other. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from endpoints.challenges.answered import SOURCES, others_said
from endpoints.challenges.facts import Fact, Section, Sure
from endpoints.challenges.moment import Moment
from endpoints.challenges.recorded import Source
from endpoints.challenges.seen import SeenRow
from endpoints.challenges.words import decimal, moment

_NO_RECORD = "There is no record of this request."
_NOBODY = "Nobody said it."


def request_section(row: SeenRow | None, then: Moment) -> Section:
    """Ids, time, outcome and sizes, each with whose word it is."""
    at = (
        _said(row, "at", "Time of the request", moment)
        if row is not None
        else Fact("at", "Time asked about", moment(then.at), Sure.CERTAIN, "question")
    )
    facts = (
        Fact(
            "endpoint", "Endpoint", then.endpoint, Sure.CERTAIN, "mirror", ref=f"endpoint:{then.endpoint_id}"
        ),
        _said(row, "request_id", "Azure's request id"),
        _said(row, "client_id", "Client's request id"),
        at,
        _said(row, "status", "Status that the caller got"),
        _said(row, "model_status", "Status of the model's container"),
        _said(row, "duration_ms", "Duration in ms", decimal, name="duration"),
        _said(row, "request_bytes", "Size of the request in bytes"),
        _said(row, "response_bytes", "Size of the answer in bytes"),
        _said(row, "app_version", "Version of the calling application"),
        _log(row, then),
    )
    return Section("request", "The request", facts)


def confidence_facts(row: SeenRow | None, then: Moment) -> tuple[Fact, ...]:
    """The confidence, its place among that day's, the scores, and the band that wants review."""
    return (
        _said(row, "confidence", "Confidence", decimal),
        _place(row, then),
        _band(row, then),
        _said(row, "high_risk", "Marked as high risk"),
        _said(row, "scores", "Scores", _scores),
    )


def _said(
    row: SeenRow | None,
    field: str,
    label: str,
    shown: Callable[[Any], Any] = lambda value: value,
    *,
    name: str = "",
) -> Fact:
    if row is None:
        return Fact(name or field, label, None, Sure.UNKNOWN, reason=_NO_RECORD)
    value = getattr(row, field)
    if value is None or value == "":
        return Fact(name or field, label, None, Sure.UNKNOWN, reason=_NOBODY)
    givers = [row.origin[field], *row.also.get(field, ())] if field in row.origin else []
    source = ", ".join(SOURCES[Source(giver)] for giver in givers)
    return Fact(
        name or field,
        label,
        shown(value),
        Sure.CERTAIN,
        source,
        others_said(row, field),
        known_at=row.since_when(field),
    )


def _scores(scores: Any) -> dict[str, str | None]:
    return {name: decimal(value) for name, value in sorted(scores.items())}


def _log(row: SeenRow | None, then: Moment) -> Fact:
    """Whether Azure's log could have told of it, and did."""
    label, log = "Azure's traffic log of that time", then.log
    if row is not None and Source.LOG in row.sources:
        return Fact("log", label, "has the request", Sure.CERTAIN, "log", known_at=row.log_known_at)
    if log.outcome == "read":
        words = "It was read and has no such request: either the id is not of a request here, or Azure left it out."
        return Fact("log", label, "read, without the request", Sure.CERTAIN, "log", words)
    if log.outcome == "off":
        return Fact(
            "log", label, "not exported", Sure.CERTAIN, "log", log.reason or "Azure did not export it."
        )
    words = "It could not be read." if log.outcome == "failed" else "It was not read."
    return Fact("log", label, None, Sure.UNKNOWN, "log", f"{words} {log.reason}".strip())


def _place(row: SeenRow | None, then: Moment) -> Fact:
    label, name = "Confidence among that day's of the same model", "confidence_place"
    if row is None or row.confidence is None:
        return Fact(name, label, None, Sure.UNKNOWN, reason="No confidence was said.")
    if then.place is None:
        return Fact(name, label, None, Sure.UNKNOWN, reason="With which model to compare is not certain.")
    rank = then.place.percentile
    if rank is None:
        words = f"Only {then.place.of} others of that day and model said theirs."
        return Fact(name, label, None, Sure.UNKNOWN, "records", words)
    words = (
        "All records of that day count."
        if then.place.is_all
        else "There are more of that day; the nearest in time count."
    )
    return Fact(name, label, {"percentile": rank, "of": then.place.of}, Sure.CERTAIN, "records", words)


def _band(row: SeenRow | None, then: Moment) -> Fact:
    label = "Below the confidence that wants review"
    if then.band is None:
        return Fact("band", label, None, Sure.UNKNOWN, "policy", "The workspace had set no such limit then.")
    if row is None or row.confidence is None:
        return Fact("band", label, None, Sure.UNKNOWN, "policy", "No confidence was said.")
    limit = f"The limit was {decimal(then.band)}."
    return Fact("band", label, row.confidence < then.band, Sure.CERTAIN, "policy", limit)
