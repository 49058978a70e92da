"""Split maps: deployment name to percent, as Azure means them.

Azure compares names without case and drops zeros, so {"Blue": 100, "green": 0} and {"blue": 100} are one
split. Live traffic sums to 100, or to 0 when an endpoint is switched off. Mirrored traffic goes to one
deployment, at most 50 %, and never to one that also has live traffic
(https://learn.microsoft.com/azure/machine-learning/how-to-safely-rollout-online-endpoints).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Split = dict[str, int]

MIRROR_LIMIT_PERCENT = 50


def normalise(split: Mapping[str, int] | None) -> Split:
    """Lower-case names, no zeros, sorted by name: equal splits become equal dicts."""
    return {name.lower(): int(weight) for name, weight in sorted((split or {}).items()) if int(weight) != 0}


def same(one: Mapping[str, int] | None, other: Mapping[str, int] | None) -> bool:
    """Whether two maps order the same traffic."""
    return normalise(one) == normalise(other)


def with_zeros(split: Mapping[str, int], deployments: Iterable[str]) -> Split:
    """The split with every known deployment named, absent ones at 0: for people and commands."""
    known = {name.lower(): 0 for name in deployments}
    return dict(sorted((known | normalise(split)).items()))


def problems(
    split: Mapping[str, int], deployments: Iterable[str], mirror: Mapping[str, int] | None = None
) -> list[str]:
    """Every reason, in words, why Azure would refuse this split; empty when it is legal."""
    live, known = normalise(split), {name.lower() for name in deployments}
    found = [f"{name} is not a deployment of this endpoint." for name in sorted({*live} - known)]
    found += [
        f"{name} is given {weight} %; a weight is a whole number from 0 to 100."
        for name, weight in split.items()
        if not 0 <= weight <= 100
    ]
    total = sum(live.values())
    if total not in (0, 100):
        found.append(f"The weights sum to {total} %; Azure takes 100, or 0 to switch the endpoint off.")
    return found + _mirror_problems(live, known, normalise(mirror))


def _mirror_problems(live: Split, known: set[str], mirror: Split) -> list[str]:
    found = [
        f"{name} is mirrored to, but is no deployment of this endpoint." for name in sorted({*mirror} - known)
    ]
    if len(mirror) > 1:
        found.append("Traffic can be mirrored to one deployment only.")
    for name, weight in mirror.items():
        if not 0 < weight <= MIRROR_LIMIT_PERCENT:
            found.append(
                f"{weight} % would be mirrored to {name}; Azure takes at most {MIRROR_LIMIT_PERCENT} %."
            )
        if name in live:
            found.append(f"{name} would get live and mirrored traffic; Azure allows one of the two.")
    return found


def describe(split: Mapping[str, int]) -> str:
    """ "blue 90 %, green 10 %" with no-break spaces, largest first; "no traffic" when empty."""
    parts = sorted(normalise(split).items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {weight}\u00a0%" for name, weight in parts) or "no traffic"


def as_argument(split: Mapping[str, int]) -> str:
    """`blue=100 green=0`, as `az ml online-endpoint update --traffic` takes it."""
    return " ".join(f"{name}={weight}" for name, weight in sorted(split.items()))
