"""Whether a rollback would work now, in a light with words, and how long rollbacks take here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from statistics import median

from endpoints.changes.readiness import Light
from endpoints.changes.selectors import kept_lights, readiness_of
from endpoints.changes.selectors.readiness import times_of
from endpoints.changes.verdict import Outcome, Verdict
from endpoints.core.errors import NotFound
from endpoints.web.states import OUTCOMES, Sign
from endpoints.web.wording import NBSP, duration, plural

LIGHTS = {
    Outcome.PASS: Sign("quiet", "Ready to roll back"),
    Outcome.WARN: Sign("warn", "Ready, with reservations"),
    Outcome.INCONCLUSIVE: Sign("unknown", "Readiness not known"),
    Outcome.ERROR: Sign("unknown", "Readiness not known"),
    Outcome.FAIL: Sign("bad", "Not ready to roll back"),
}


@dataclass(frozen=True, slots=True)
class Ready:
    """The light as pages show it. `open` are the reasons that are no pass, worst first; `all` is every reason."""

    sign: Sign
    open: tuple[tuple[str, Sign, str], ...]
    all: tuple[tuple[str, Sign, str], ...]
    timing: str
    at: datetime


def ready(endpoint_id: int) -> Ready | None:
    """As it was looked at last, within some minutes; looked at now where it never was. None when it is gone."""
    return kept_ready(endpoint_id) or looked_at_now(endpoint_id)


def kept_ready(endpoint_id: int) -> Ready | None:
    """As it was looked at last; None where it never was. A form that must open at once looks at nothing itself."""
    kept = kept_lights([endpoint_id]).get(endpoint_id)
    if kept is None:
        return None
    return _ready(kept.outcome, kept.reasons, kept.at, timing(times_of(endpoint_id).confirmed))


def looked_at_now(endpoint_id: int) -> Ready | None:
    """As of this moment; None when the endpoint is gone."""
    try:
        return ready_of(readiness_of(endpoint_id))
    except NotFound:
        return None


def ready_of(light: Light) -> Ready:
    return _ready(light.outcome, light.reasons, light.at, _of_light(light))


def _ready(outcome: Outcome, reasons: tuple[Verdict, ...], at: datetime, words: str) -> Ready:
    lines = tuple((one.name, OUTCOMES[one.outcome], one.reason) for one in reasons)
    unpassed = tuple(line for line, one in zip(lines, reasons, strict=True) if not one.passed)
    return Ready(LIGHTS[outcome], unpassed, lines, words, at)


def _of_light(light: Light) -> str:
    return _timing(light.seconds, light.rollbacks)


def timing(confirmed: tuple[float, ...]) -> str:
    """How long it took here until Azure confirmed."""
    return _timing(median(confirmed) if confirmed else None, len(confirmed))


def _timing(seconds: float | None, of: int) -> str:
    if seconds is None:
        return "No rollback was timed here yet."
    return f"Median time to a confirmed rollback here: {duration(seconds)}{NBSP}({plural(of, 'rollback')})."
