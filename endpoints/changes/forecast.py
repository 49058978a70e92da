"""What a plan would do, step by step, at the traffic that is expected. Pure.

Whom it exposes, what it loads, what it costs, and what its gates could find in that time; every figure that is not
known is None and says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

from endpoints.changes.capacity import Load, Replicas, loads
from endpoints.changes.gatespec import GateSpec
from endpoints.changes.plan import Base, Step, candidates, duration, stables
from endpoints.changes.power import Forecast as Power
from endpoints.changes.power import Plan
from endpoints.changes.power import forecast as power_of
from endpoints.changes.terms import Terms
from endpoints.core.money import Money
from endpoints.core.traffic import Split


@dataclass(frozen=True, slots=True)
class Range:
    """From low to high, with what is typical."""

    low: float
    typical: float
    high: float

    def times(self, factor: float) -> Range:
        return Range(self.low * factor, self.typical * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class Latency:
    """The p95 of the candidate's recent minutes at about such a load, in ms; `words` say of how many."""

    low: float
    high: float
    words: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an endpoint before a plan is walked.

    `traffic`: requests a minute of all deployments; `peak` the highest; `latency` by deployment. `base_rate`: the
    stable's share of failed requests, `correlation` of failures within a minute. `hourly`: what the instances of
    each deployment cost in an hour, None where a price is not known.
    """

    traffic: Range | None
    traffic_words: str
    peak: float | None
    replicas: Mapping[str, Replicas]
    latency: Mapping[str, Latency]
    hourly: Mapping[str, Money | None]
    cost_words: str = ""
    base_rate: float | None = None
    correlation: float = 0.0


@dataclass(frozen=True, slots=True)
class StepForecast:
    """One step. `exposed`: requests that candidates answer while it bakes. `minutes` of its bake, watch included."""

    number: int
    split: Split
    mirror: Split
    minutes: int
    exposed: Range | None
    loads: tuple[Load, ...]
    latency: Latency | None
    gates: tuple[Power, ...]
    words: str

    @property
    def blind(self) -> tuple[Power, ...]:
        """Gates whose silence says nothing in this step."""
        return tuple(gate for gate in self.gates if gate.blind)


@dataclass(frozen=True, slots=True)
class Forecast:
    """The whole plan. `seconds` at least; `cost` of what runs only because of it, None when not known."""

    steps: tuple[StepForecast, ...]
    seconds: int
    cost: Money | None
    cost_words: str
    traffic_words: str


def forecast(base: Base, steps: Sequence[Step], terms: Terms, known: Known) -> Forecast:
    """What the plan would do."""
    walked = tuple(steps)
    cost, words = _cost(base, walked, terms, known)
    return Forecast(
        steps=tuple(_step(base, walked, number, terms, known) for number in range(len(walked))),
        seconds=duration(walked, terms),
        cost=cost,
        cost_words=words,
        traffic_words=known.traffic_words,
    )


def _step(base: Base, steps: tuple[Step, ...], number: int, terms: Terms, known: Known) -> StepForecast:
    step = steps[number]
    watch = terms.watch if number + 1 == len(steps) else 0
    minutes = ceil((step.bake + watch) / 60)
    watched = candidates(base, steps)
    share = sum(step.split.get(name, 0) for name in watched) / 100
    exposed = known.traffic.times(share * minutes) if known.traffic else None
    latency = next((known.latency[name] for name in watched if name in known.latency), None)
    gates = _power(base, steps, step, minutes, terms.gates, known)
    return StepForecast(
        number=number,
        split=step.split,
        mirror=step.mirror,
        minutes=minutes,
        exposed=exposed,
        loads=loads(step, known.peak, known.replicas),
        latency=latency,
        gates=gates,
        words=_words(exposed, minutes, gates),
    )


def _power(
    base: Base,
    steps: tuple[Step, ...],
    step: Step,
    minutes: int,
    specs: tuple[GateSpec, ...],
    known: Known,
) -> tuple[Power, ...]:
    """What each gate could find; nothing can be said where no traffic is known or nothing bakes."""
    if known.traffic is None or not minutes:
        return ()
    weight = sum(step.split.get(name, 0) for name in candidates(base, steps))
    beside = sum(step.split.get(name, 0) for name in stables(base, steps))
    plan = Plan(
        requests=known.traffic.typical,
        weight=weight,
        stable_weight=beside,
        minutes=minutes,
        base_rate=known.base_rate,
        correlation=known.correlation,
    )
    return tuple(power_of(spec, plan) for spec in specs if beside or not spec.against_stable)


def _words(exposed: Range | None, minutes: int, gates: tuple[Power, ...]) -> str:
    if exposed is None:
        return "How many requests it exposes is not known."
    if not minutes:
        return "Nothing bakes here: the next step follows as soon as Azure shows it."
    told = f"About {exposed.typical:,.0f} requests in {minutes}\u00a0min"
    blind = [gate.gate for gate in gates if gate.blind]
    return f"{told}. Too few for: {', '.join(blind)}." if blind else f"{told}."


def _cost(base: Base, steps: tuple[Step, ...], terms: Terms, known: Known) -> tuple[Money | None, str]:
    """The candidates while the plan is walked, and what lost its traffic while it is kept."""
    hours = duration(steps, terms) / 3600
    old = [name for name in base.split if name not in steps[-1].split]
    parts = [(name, hours) for name in candidates(base, steps) if name not in base.split]
    parts += [(name, float(terms.warm)) for name in old if terms.warm]
    unknown = [name for name, _ in parts if known.hourly.get(name) is None]
    if unknown:
        return None, f"What {', '.join(sorted(unknown))} costs is not known. {known.cost_words}".strip()
    total: Money | None = None
    for name, lasts in parts:
        price = known.hourly[name]
        assert price is not None
        part = Money(price.amount * Decimal(f"{lasts:.6f}"), price.currency)
        total = part if total is None else total + part
    if total is None:
        return None, "Nothing runs only because of it."
    kept = f", and {', '.join(sorted(old))} for {terms.warm}\u00a0h afterwards" if old and terms.warm else ""
    return total, f"The candidate while the plan is walked{kept}. {known.cost_words}".strip()
