"""Azure's rules for traffic, live and mirrored, and how a stored split is spelt. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.behaviour import Behaviour

Split = dict[str, int]


class TrafficError(ValueError):
    """A split that Azure would refuse; the text says which rule it breaks."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the rules need to know of a deployment."""

    name: str
    state: str


def parse(value: Any, what: str) -> Split:
    """A split as sent: names to whole percentages. None and a missing field are the empty split."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TrafficError(f"{what} is a mapping of deployment names to percentages.")
    for name, weight in value.items():
        if isinstance(weight, bool) or not isinstance(weight, int) or not 0 <= weight <= 100:
            raise TrafficError(f"{what} of {name!r} is a whole percentage from 0 to 100, not {weight!r}.")
    if len({str(name).lower() for name in value}) < len(value):
        raise TrafficError(f"{what} names one deployment twice.")
    return {str(name): int(weight) for name, weight in value.items()}


def positive(split: Mapping[str, int]) -> dict[str, int]:
    """Lower-case names with a weight above 0, for comparing."""
    return {name.lower(): weight for name, weight in split.items() if weight > 0}


def check(
    live: Split,
    mirror: Split,
    *,
    before: Mapping[str, int],
    deployed: Collection[Deployed],
    managed: bool,
    behaviour: Behaviour,
) -> None:
    """Raise TrafficError unless Azure would take both splits."""
    states = {item.name.lower(): item.state for item in deployed}
    _known(live, states, "Traffic")
    _known(mirror, states, "Mirror traffic")
    if sum(live.values()) not in {0, 100}:
        raise TrafficError(f"Traffic percentages must sum to 0 or 100, these sum to {sum(live.values())}.")
    _check_mirror(live, mirror, managed=managed)
    if behaviour.target_must_have_succeeded:
        _check_raised(positive(live), positive(before), states)


def _known(split: Split, states: Mapping[str, str], what: str) -> None:
    for name in split:
        if name.lower() not in states:
            raise TrafficError(f"{what} names deployment {name!r}, which does not exist under this endpoint.")


def _check_mirror(live: Split, mirror: Split, *, managed: bool) -> None:
    targets = positive(mirror)
    if not targets:
        return
    if not managed:
        raise TrafficError("Mirror traffic is possible on managed endpoints only.")
    if len(targets) > 1:
        raise TrafficError("Mirror traffic can go to one deployment only.")
    if sum(targets.values()) > 50:
        raise TrafficError("Mirror traffic can't exceed 50 percent.")
    both = set(targets) & set(positive(live))
    if both:
        raise TrafficError(f"Deployment {both.pop()!r} can't receive live and mirrored traffic at once.")


def _check_raised(live: Mapping[str, int], before: Mapping[str, int], states: Mapping[str, str]) -> None:
    for name, weight in live.items():
        if weight > before.get(name, 0) and states[name] != "Succeeded":
            raise TrafficError(f"Deployment {name!r} is {states[name]}: only a Succeeded one takes traffic.")


def spelt(split: Split, deployed: Collection[Deployed], behaviour: Behaviour) -> Split:
    """The split as it is stored."""
    kept = {n: w for n, w in split.items() if w > 0 or behaviour.zero_weights == "kept"}
    if behaviour.traffic_key_case == "lower":
        return {name.lower(): weight for name, weight in kept.items()}
    if behaviour.traffic_key_case == "as_deployed":
        canonical = {item.name.lower(): item.name for item in deployed}
        return {canonical.get(name.lower(), name): weight for name, weight in kept.items()}
    return kept


def pick(split: Mapping[str, int], roll: float) -> str | None:
    """The deployment that a request with `roll` in [0, 1) goes to; None when nothing has a weight."""
    weights = [(name, weight) for name, weight in sorted(split.items()) if weight > 0]
    point = roll * sum(weight for _, weight in weights)
    for name, weight in weights:
        point -= weight
        if point < 0:
            return name
    return weights[-1][0] if weights else None
