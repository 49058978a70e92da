"""Minutes as a gate counts them: so many of what it judges, and how many of these were bad. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from endpoints.changes.evidence import Evidence, FigureEvidence, FigureSample, MinuteSample
from endpoints.changes.gatespec import LATENCIES, GateSpec, Kind
from endpoints.changes.sequential import NOTHING, Count

Sample = MinuteSample | FigureSample
_USE = {Kind.CPU: "cpu_max", Kind.MEMORY: "memory_max", Kind.GPU: "gpu_max"}
# Azure counts failures apart from requests: so many more are an inaccuracy, and beyond that a mistake.
_COUNTED_APART = 0.01


class Broken(Exception):
    """It can't be measured at all; the text says why."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One minute. None is unknown; a count of 0 says nothing. `requests` (of a figure: cases) are the candidate's."""

    minute: datetime
    requests: float | None
    candidate: Count | None
    stable: Count | None


def readings(spec: GateSpec, evidence: Evidence) -> list[Reading]:
    """The minutes since the step is in force, oldest first. Raises Broken when the source or a value is."""
    candidate, stable, _ = _series(spec, evidence)
    beside = {sample.minute: sample for sample in _sound(stable)}
    return [_reading(spec, evidence, one, beside.get(one.minute)) for one in _sound(candidate)]


def before(spec: GateSpec, evidence: Evidence) -> list[Count]:
    """The stable's known minutes before the change, counted the same way; empty where minutes are compared."""
    if spec.counts_minutes and spec.against_stable:
        return []
    _, _, earlier = _series(spec, evidence)
    counts = (_count(spec, evidence, sample, None) for sample in _sound(earlier))
    return [count for count in counts if count is not None]


def _series(
    spec: GateSpec, evidence: Evidence
) -> tuple[Sequence[Sample], Sequence[Sample], Sequence[Sample]]:
    if spec.kind is Kind.P95_OVER_BUDGET and evidence.budget_ms is None:
        raise Broken("The endpoint has no latency budget to hold this against.")
    source: Evidence | FigureEvidence = evidence
    if spec.kind is Kind.FIGURE:
        if spec.figure not in evidence.figures:
            raise Broken(f"There is no figure {spec.figure} on this endpoint.")
        source = evidence.figures[spec.figure]
    if source.unreadable:
        raise Broken(source.unreadable)
    return source.candidate, source.stable, source.before


def _sound(samples: Sequence[Sample]) -> list[Sample]:
    """In the order of their minutes, or Broken for a value that no measurement can have."""
    found: dict[datetime, Sample] = {}
    for sample in samples:
        if sample.minute in found:
            raise Broken("The source gave the same minute twice.")
        _check(sample)
        found[sample.minute] = sample
    return [found[minute] for minute in sorted(found)]


def _check(sample: Sample) -> None:
    for name in (field.name for field in fields(sample) if field.name != "minute"):
        value = getattr(sample, name)
        # The sum of a figure may be below zero; whether that can be is looked at where it is counted.
        if value is not None and not (math.isfinite(value) and (value >= 0 or name == "total")):
            raise Broken(f"The source gave {value:g} as {name}, which can't be.")


def _reading(spec: GateSpec, evidence: Evidence, one: Sample, other: Sample | None) -> Reading:
    compared = spec.counts_minutes and spec.against_stable
    beside = None if other is None or compared else _count(spec, evidence, other, None)
    requests = one.count if isinstance(one, FigureSample) else one.requests
    return Reading(one.minute, requests, _count(spec, evidence, one, other), beside)


def _count(spec: GateSpec, evidence: Evidence, one: Sample, other: Sample | None) -> Count | None:
    """What one deployment's minute counts for; `other` is the stable's, where minutes are compared one by one."""
    if isinstance(one, FigureSample):
        assert other is None or isinstance(other, FigureSample)
        return _rate_of_figure(spec, one) if spec.figure_kind == "rate" else _mean(spec, one, other)
    assert other is None or isinstance(other, MinuteSample)
    if spec.kind in (Kind.ERRORS, Kind.ERRORS_VS_STABLE):
        return _rate(one.requests, one.errors)
    if spec.kind is Kind.THROTTLED:
        return _rate(one.requests, one.throttled)
    if spec.kind in LATENCIES:
        return _latency(spec, evidence, one, other)
    used = getattr(one, _USE[spec.kind])
    return None if used is None or one.requests is None else _one(used > spec.limit)


def _rate(of: float | None, bad: float | None) -> Count | None:
    if of is None or bad is None:
        return None
    if bad > of + max(1.0, of * _COUNTED_APART):
        raise Broken(f"The source gave {bad:g} failures of {of:g} requests, which can't be.")
    return Count(of, min(of, bad))


def _one(is_bad: bool) -> Count:
    return Count(1.0, 1.0 if is_bad else 0.0)


def _latency(
    spec: GateSpec, evidence: Evidence, one: MinuteSample, other: MinuteSample | None
) -> Count | None:
    if one.requests is None:
        return None
    if one.requests < spec.minute_requests:
        return NOTHING
    if one.p95 is None:
        return None
    if spec.kind is Kind.P95_OVER_BUDGET:
        assert evidence.budget_ms is not None
        return _one(one.p95 > evidence.budget_ms * spec.limit)
    if other is None or other.requests is None:
        return None
    if other.requests < spec.minute_requests:
        return NOTHING
    return None if other.p95 is None else _one(one.p95 > other.p95 * (1 + spec.limit))


def _rate_of_figure(spec: GateSpec, one: FigureSample) -> Count | None:
    """What is bad of a rate that is to be high is what is missing from it."""
    if one.count is None or one.total is None:
        return None
    if not 0 <= one.total <= one.count:
        raise Broken(f"The source gave {one.total:g} of {one.count:g} as {spec.figure}, which can't be.")
    return Count(one.count, one.total if spec.direction == "over" else one.count - one.total)


def _mean(spec: GateSpec, one: FigureSample, other: FigureSample | None) -> Count | None:
    mean = _mean_of(one)
    if mean is None:
        return NOTHING if one.count == 0 else None
    reference, sign = 0.0, 1 if spec.direction == "over" else -1
    if spec.relative:
        if other is None:
            return None
        stable = _mean_of(other)
        if stable is None:
            return NOTHING if other.count == 0 else None
        reference = stable
    away = sign * (mean - reference)
    return _one(away > (spec.limit if spec.relative else sign * spec.limit))


def _mean_of(sample: FigureSample) -> float | None:
    return None if not sample.count or sample.total is None else sample.total / sample.count
