"""What requests say of the split, in words beside what was ordered and what Azure reports. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from endpoints.metrics.observed import Comparison, Observed, Verdict
from endpoints.metrics.selectors import ObservedSplit
from endpoints.web.numbers import amount, share
from endpoints.web.wording import NBSP, plural, span

_SIGNS = {
    Verdict.SAME: ("quiet", "As ordered"),
    Verdict.DIFFERS: ("warn", "Differs from the order"),
    Verdict.TOO_FEW: ("unknown", "Too few to tell"),
    Verdict.UNKNOWN: ("unknown", "Cannot tell"),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """`words` are the shares; `kind` and `verdict` a status; `notes` what else must be known to trust it."""

    words: str
    basis: str
    kind: str
    verdict: str
    notes: tuple[str, ...]


def seen(found: ObservedSplit) -> Seen:
    """The third truth about traffic, of the stretch that was compared."""
    compared = found.comparison
    kind, verdict = _SIGNS[compared.verdict]
    routed = [one for one in compared.deployments if one.share is not None]
    words = ", ".join(f"{one.name}{NBSP}{share(one.share)}" for one in _by_share(routed))
    length = span(found.until - found.since)
    basis = (
        f"of {plural(round(compared.requests), 'request')} in the last {length}"
        if words
        else f"last {length}"
    )
    return Seen(words or "unknown", basis, kind, verdict, tuple(_notes(found)))


def _by_share(found: Iterable[Observed]) -> list[Observed]:
    return sorted(found, key=lambda one: -(one.share or 0.0))


def _notes(found: ObservedSplit) -> Iterable[str]:
    compared = found.comparison
    yield compared.reason
    if compared.verdict is not Verdict.UNKNOWN:
        yield from (_interval(one) for one in compared.deployments if _is_between(one))
    yield from (_direct(one) for one in compared.deployments if one.direct)
    yield from _estimates(compared)
    if found.changing_minutes:
        yield f"{plural(found.changing_minutes, 'minute')} left out: the split was being changed, or is not certain."
    if found.unknown_minutes:
        yield f"{plural(found.unknown_minutes, 'minute')} left out: their requests are not known."


def _is_between(one: Observed) -> bool:
    return one.low is not None and one.high is not None and one.ordered not in (None, 0.0, 1.0)


def _interval(one: Observed) -> str:
    fits = f"{share(one.low)} to {share(one.high)}"
    return f"{one.name}: ordered {share(one.ordered)}; its requests fit any share from {fits}."


def _direct(one: Observed) -> str:
    return f"{plural(round(one.direct), 'request')} reached {one.name} at weight 0: sent to it by header, for certain."


def _estimates(compared: Comparison) -> Iterable[str]:
    for one in compared.deployments:
        if one.direct_estimate and one.direct_estimate >= 1:
            yield (
                f"Some {amount(round(one.direct_estimate))} requests to {one.name} are beyond its share."
                " Header-addressed calls would look so; this is an estimate, for metrics do not tell them apart."
            )
