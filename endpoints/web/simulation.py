"""What a plan would do, one line per step, as the form and the review page show it."""

from __future__ import annotations

from dataclasses import dataclass

from endpoints.changes.draft import Draft
from endpoints.changes.forecast import Forecast, StepForecast
from endpoints.changes.selectors.forecast import forecast_draft
from endpoints.core import traffic
from endpoints.web.wording import count, duration, percent

NOT_KNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Line:
    """One step. `facts` are short; `blind` says of each gate that could find nothing what would be enough."""

    number: int
    split: traffic.Split
    facts: tuple[str, ...]
    blind: tuple[str, ...]
    gates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Simulation:
    """The whole plan in words."""

    lines: tuple[Line, ...]
    lasts: str
    cost: str
    cost_words: str
    basis: str


def simulated(endpoint_id: int, draft: Draft) -> Simulation:
    """A draft on the split that is live; of an endpoint that the reader may see."""
    return told(forecast_draft(endpoint_id, draft))


def told(found: Forecast) -> Simulation:
    """A forecast in words."""
    return Simulation(
        lines=tuple(_line(step) for step in found.steps),
        lasts=duration(found.seconds) if found.seconds else "ends as soon as Azure shows it",
        cost=f"{found.cost.amount:.2f}\u00a0{found.cost.currency}" if found.cost else NOT_KNOWN,
        cost_words=found.cost_words,
        basis=found.traffic_words,
    )


def _line(step: StepForecast) -> Line:
    return Line(
        number=step.number + 1,
        split=step.split,
        facts=(_exposed(step), _load(step), _latency(step)),
        blind=tuple(f"{gate.gate}: {gate.reason}" for gate in step.gates if gate.blind),
        gates=tuple(f"{gate.gate}: {gate.reason}" for gate in step.gates if not gate.blind),
    )


def _load(step: StepForecast) -> str:
    """Short: whose figure it is stands in the checks."""
    told = [
        f"{load.deployment} {NOT_KNOWN if load.share is None else percent(round(load.share * 100))}"
        for load in step.loads
    ]
    return f"of capacity at peak: {', '.join(told) or 'nobody serves'}"


def _exposed(step: StepForecast) -> str:
    if step.exposed is None:
        return f"requests: {NOT_KNOWN}"
    if not step.minutes:
        return "nothing bakes here"
    low, high = round(step.exposed.low), round(step.exposed.high)
    typical = count(round(step.exposed.typical))
    between = f" ({count(low)} to {count(high)})" if low != high else ""
    return f"about {typical} requests{between} in {step.minutes}\u00a0min"


def _latency(step: StepForecast) -> str:
    if step.latency is None:
        return f"p95: {NOT_KNOWN}"
    return f"p95 {step.latency.low:.0f} to {step.latency.high:.0f}\u00a0ms ({step.latency.words})"
