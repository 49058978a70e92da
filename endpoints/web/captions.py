"""The answer of each chart as sentences: made of the very values that it draws, unknown minutes included. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Protocol

from endpoints.metrics.selectors import BudgetRow, Series, Share
from endpoints.metrics.windows import Grain
from endpoints.web.charts import Values
from endpoints.web.numbers import amount, ms, per_minute, percentage, share
from endpoints.web.wording import NBSP, count, moment_words, plural


class Named(Protocol):
    """A deployment in a chart."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...


def latency(
    subjects: Sequence[Named], series: Series, shares: Mapping[int, Share], budgets: Sequence[BudgetRow]
) -> str:
    """Over the budget or not, the worst minute, and how much is not known."""
    limits = {row.p95_ms for row in budgets if row.p95_ms is not None}
    limit = f"its budget of {ms(limits.copy().pop())}" if len(limits) == 1 else "the budget in force"
    limit += _since(series, budgets)
    said = [
        _latency_of(one, series, shares.get(one.id, Share()), limit if limits else "") for one in subjects
    ]
    return " ".join([*said, *(["No latency budget is set."] if not limits else [])]) or _NOBODY


def _since(series: Series, budgets: Sequence[BudgetRow]) -> str:
    """Minutes before any budget was set are held against none: said, where the range begins earlier."""
    began = min((row.since for row in budgets if row.p95_ms is not None), default=None)
    if began is None or not series.times or began <= series.times[0]:
        return ""
    return f", set {moment_words(began)},"


_NOBODY = "It has no deployment, so there is nothing to measure."


def _latency_of(one: Named, series: Series, found: Share, limit: str) -> str:
    parts = []
    if found.worst_value is None:
        parts.append("its latency is not known in this range")
    elif limit and found.known_minutes:
        parts.append(_over(found, limit))
    if found.worst_value is not None and found.worst_minute is not None:
        at = moment_words(found.worst_minute, whole_hour=found.worst_grain is not Grain.MINUTE)
        parts.append(f"worst minute {ms(found.worst_value)} {at}")
    return _sentence(one.name, [*parts, *_missing(one, series, found)])


def _over(found: Share, limit: str) -> str:
    known = plural(found.known_minutes, "known minute")
    if found.over_at_most == 0:
        return f"p95 stayed within {limit} in all {known}"
    if found.is_exact:
        return f"p95 was over {limit} in {count(found.over_at_least)} of {known}"
    return f"p95 was over {limit} in {count(found.over_at_least)} to {count(found.over_at_most)} of {known}"


def _missing(one: Named, series: Series, found: Share) -> list[str]:
    parts = []
    if found.idle_minutes:
        parts.append(f"{plural(found.idle_minutes, 'minute')} without requests")
    coverage = series.coverage.get(one.id)
    if coverage and coverage.missing:
        parts.append(f"{plural(coverage.missing, 'minute')} unknown")
    return parts


def _sentence(name: str, parts: Sequence[str]) -> str:
    return f"{name}: {'; '.join(parts)}." if parts else f"{name}: nothing is known in this range."


def errors(subjects: Sequence[Named], series: Series, budgets: Sequence[BudgetRow]) -> str:
    """What part failed, out of how many, and what was refused."""
    limit = next((row.failure_share for row in reversed(budgets) if row.failure_share is not None), None)
    said = [_errors_of(one, series, limit) for one in subjects]
    return " ".join(said) or _NOBODY


def _errors_of(one: Named, series: Series, limit: float | None) -> str:
    columns = series.by_deployment.get(one.id, {})
    counted = _together(columns, "requests", "status_5xx", "model_errors")
    total, service, model = (sum(row[place] for row in counted) for place in range(3))
    if not counted:
        return f"{one.name}: its errors are not known in this range."
    if not total:
        return f"{one.name}: no request was made."
    failed = service + model
    verdict = ""
    if limit is not None:
        verdict = f", {'over' if failed / total > limit else 'within'} its budget of {share(limit)}"
    parts = [
        f"{share(failed / total)} failed{verdict} ({_of(failed, total)}: {count(round(service))}{NBSP}5xx,"
        f" {plural(round(model), 'model error')})"
    ]
    refused = [value for value in columns.get("status_429", ()) if value is not None]
    if sum(refused):
        parts.append(f"{count(round(sum(refused)))} refused with 429")
    unknown = _known(columns.get("requests", ())) - len(counted)
    if unknown:
        parts.append(f"errors of {plural(unknown, str(series.grain))} unknown")
    return _sentence(one.name, parts)


def _of(part: float, total: float) -> str:
    return f"{count(round(part))} of {count(round(total))}"


def _together(columns: Mapping[str, Values], *names: str) -> list[tuple[float, ...]]:
    """The steps of which all these columns are known."""
    rows = zip(*(columns.get(name, ()) for name in names), strict=False)
    return [tuple(value for value in row if value is not None) for row in rows if None not in row]


def _known(values: Sequence[float | None]) -> int:
    return sum(1 for value in values if value is not None)


def requests(subjects: Sequence[Named], series: Series) -> str:
    """How many in all, and the peak."""
    return " ".join(_requests_of(one, series) for one in subjects) or _NOBODY


def _requests_of(one: Named, series: Series) -> str:
    columns = series.by_deployment.get(one.id, {})
    values = columns.get("requests", ())
    known = _known(values)
    if not known:
        return f"{one.name}: its requests are not known in this range."
    total = sum(value for value in values if value is not None)
    missing = series.coverage.get(one.id)
    partial = "at least " if missing and missing.missing else ""
    if not total:
        return f"{one.name}: no request in {plural(known, f'known {series.grain}')}."
    parts = [f"{partial}{plural(round(total), 'request')}"]
    rates = rates_of(columns, series.grain)
    peak, at = _worst(rates, series.times)
    if peak is not None and at is not None:
        word = "peak" if series.grain is Grain.MINUTE else f"busiest {series.grain}"
        parts.append(f"{word} {per_minute(peak)} {moment_words(at, is_day=series.grain is Grain.DAY)}")
    return _sentence(one.name, parts)


def rates_of(columns: Mapping[str, Values], grain: Grain) -> list[float | None]:
    """Requests a minute in each step."""
    values = columns.get("requests", ())
    if grain is Grain.MINUTE:
        return list(values)
    minutes = columns.get("request_minutes", (None,) * len(values))
    return [None if v is None or not m else v / m for v, m in zip(values, minutes, strict=True)]


def _worst(values: Sequence[float | None], times: Sequence[datetime]) -> tuple[float | None, datetime | None]:
    known = [(value, -number) for number, value in enumerate(values) if value is not None]
    if not known:
        return None, None
    value, number = max(known)
    return value, times[-number]


def use(subjects: Sequence[Named], series: Series) -> str:
    """The highest of each, and when."""
    return " ".join(_use_of(one, series) for one in subjects) or _NOBODY


def _use_of(one: Named, series: Series) -> str:
    columns = series.by_deployment.get(one.id, {})
    parts = []
    for column, words in (("cpu_max", "CPU"), ("memory_max", "memory"), ("gpu_max", "GPU")):
        value, at = _worst(columns.get(column, ()), series.times)
        if value is not None and at is not None:
            parts.append(
                f"{words} at most {percentage(value)} {moment_words(at, is_day=series.grain is Grain.DAY)}"
            )
    return _sentence(one.name, parts)


def replicas(subjects: Sequence[Named], rows: Sequence[Sequence[float | None]]) -> str:
    """How many run now, and between which numbers it was."""
    said = []
    for one, values in zip(subjects, rows, strict=True):
        known = [value for value in values if value is not None]
        if not known:
            said.append(f"{one.name}: the number of its replicas is not known in this range.")
        elif min(known) == max(known):
            said.append(f"{one.name}: {amount(known[-1])} all along.")
        else:
            said.append(
                f"{one.name}: {amount(known[-1])} at last, {amount(min(known))} to {amount(max(known))} before."
            )
    return " ".join(said) or _NOBODY


def split(subjects: Sequence[Named], rows: Sequence[Values], grain: Grain) -> str:
    """The shares of all requests of the range whose deployments are all known; `rows` are their requests."""
    both = [row for row in zip(*rows, strict=True) if None not in row]
    total = sum(value for row in both for value in row if value is not None)
    if not both:
        return "The requests of these deployments are not known together in this range."
    if not total:
        return "No request was made."
    parts = [
        f"{one.name} {percentage(sum(row[place] or 0.0 for row in both) / total * 100)}"
        for place, one in enumerate(subjects)
    ]
    return f"Of {plural(round(total), 'request')} in {plural(len(both), str(grain))}: {', '.join(parts)}."


def weight(name: str, shares: Sequence[float | None]) -> str:
    """From which to which share, and how often it moved."""
    known = [value for value in shares if value is not None]
    if not known:
        return f"The split was not known in this range, so {name}'s share was not."
    moves = sum(1 for one, other in pairwise(known) if one != other)
    if not moves:
        return f"{name} was given {percentage(known[-1])} all along."
    ends = f"{percentage(known[0])} at the start and {percentage(known[-1])} at the end"
    return f"{name} was given {ends}; its share moved {_times(moves)}."


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
