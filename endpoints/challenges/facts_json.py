"""A passport as a document and back: what cases keep and packs hand over. Pure; no float, every moment in UTC.

The document is what `audit.canonical` takes, so its bytes, and the hash over them, are the same wherever it is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from endpoints.challenges.facts import Fact, Passport, Section, Sure
from endpoints.challenges.words import moment

VERSION = 1


def document(passport: Passport) -> dict[str, Any]:
    """All of it, the unknown included."""
    return {
        "v": VERSION,
        "endpoint_id": passport.endpoint_id,
        "at": moment(passport.at),
        "sure": passport.sure.value,
        "verdict": passport.verdict,
        "made_at": moment(passport.made_at),
        "known": _text(passport.known),
        "corrections": list(passport.corrections),
        "sections": [
            {"name": one.name, "label": one.label, "facts": [_fact(fact) for fact in one.facts]}
            for one in passport.sections
        ],
    }


def from_document(raw: Mapping[str, Any]) -> Passport:
    """The reverse; ValueError for a document of another version."""
    if raw.get("v") != VERSION:
        raise ValueError(f"a passport of version {raw.get('v')} can't be read here")
    return Passport(
        endpoint_id=raw["endpoint_id"],
        at=_moment(raw["at"]),
        sections=tuple(
            Section(one["name"], one["label"], tuple(_read(fact) for fact in one["facts"]))
            for one in raw["sections"]
        ),
        sure=Sure(raw["sure"]),
        verdict=raw["verdict"],
        made_at=_moment(raw["made_at"]),
        known=_maybe(raw["known"]),
        corrections=tuple(raw["corrections"]),
    )


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "name": fact.name,
        "label": fact.label,
        "value": fact.value,
        "sure": fact.sure.value,
        "source": fact.source,
        "reason": fact.reason,
        "alternatives": list(fact.alternatives),
        "ref": fact.ref,
        "known_at": _text(fact.known_at),
    }


def _read(raw: Mapping[str, Any]) -> Fact:
    return Fact(
        name=raw["name"],
        label=raw["label"],
        value=raw["value"],
        sure=Sure(raw["sure"]),
        source=raw["source"],
        reason=raw["reason"],
        alternatives=tuple(raw["alternatives"]),
        ref=raw["ref"],
        known_at=_maybe(raw["known_at"]),
    )


def _text(at: datetime | None) -> str | None:
    return moment(at) if at is not None else None


def _maybe(text: str | None) -> datetime | None:
    return _moment(text) if text is not None else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
