"""What a gate can find in a bake at the traffic that is expected, before anybody approves it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from endpoints.changes.gatespec import GateSpec

# The chance with which harm of the stated size is found.
POWER = 0.8
# A gate that can't find this much (points as a share) beyond its limit is blind, and its silence no pass.
BLIND = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """What a step gives its gates to work with.

    `requests`: those per minute that the endpoint is expected to get; `weight` and `stable_weight` percent of them
    for the candidate and for the stable deployments; `base_rate`: the stable's share of what the gate counts, None
    when not known; `correlation`: of failures within a minute, see `sequential.correlation`.
    """

    requests: float
    weight: int
    stable_weight: int
    minutes: int
    base_rate: float | None = None
    correlation: float = 0.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """`detectable`: the smallest rate, or share of bad minutes, that the gate finds with POWER; None: none at all.

    `excess`: how far that is beyond what the stable has, or beyond the limit. `blind`: it can't be relied on.
    `weight` or `minutes`, either alone, would be enough; None when no such value is. `reason` says all this.
    """

    gate: str
    requests: float
    minutes: int
    detectable: float | None
    excess: float | None
    blind: bool
    reason: str
    weight: int | None = None
    bake_minutes: int | None = None


def forecast(spec: GateSpec, plan: Plan) -> Forecast:
    """What the gate can find, and what would be enough if that is too little."""
    raise NotImplementedError
