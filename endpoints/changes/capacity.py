"""Whether deployments can carry the share that a plan gives them, at the highest load that was measured. Pure.

No deployment gets more than its replicas can carry: neither the one that gains, nor those that keep the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from endpoints.changes.plan import Base, Step
from endpoints.changes.verdict import Outcome, Verdict

NAME = "Replicas can carry their share at peak load"
TIGHT = 0.8
"""Beyond this share of what replicas can carry a person must know of it: load grows, and a replica may be lost."""
FULL = 1.0


@dataclass(frozen=True, slots=True)
class Replicas:
    """What stands behind a deployment. `per_replica`: requests a minute that one can carry, None when not known.

    `source` says in words how that is known, or why it is not; `borrowed` names the deployment of the same size
    whose figure it is.
    """

    instances: int | None
    per_replica: float | None
    source: str = ""
    borrowed: str = ""

    @property
    def total(self) -> float | None:
        """Requests a minute that all of them can carry."""
        if self.instances is None or self.per_replica is None:
            return None
        return self.instances * self.per_replica


@dataclass(frozen=True, slots=True)
class Load:
    """One deployment's part of a load. `share` of what its replicas can carry; None when that is not known."""

    deployment: str
    requests: float | None
    instances: int | None
    share: float | None
    words: str


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest requests a minute of the whole endpoint; `words` say of when. `at_least`: it may have been more."""

    requests: float | None
    words: str
    at_least: bool = False


def loads(step: Step, peak: float | None, replicas: Mapping[str, Replicas]) -> tuple[Load, ...]:
    """What each deployment carries under a step, mirrored requests included."""
    percents = {
        name: step.split.get(name, 0) + step.mirror.get(name, 0) for name in (*step.split, *step.mirror)
    }
    return tuple(
        _load(name, percent, peak, _of(step, name, replicas)) for name, percent in sorted(percents.items())
    )


def _of(step: Step, name: str, replicas: Mapping[str, Replicas]) -> Replicas:
    found = replicas.get(name, Replicas(None, None, "it does not stand"))
    if step.verb == "patch_capacity" and step.deployment == name:
        return Replicas(step.instances, found.per_replica, found.source, found.borrowed)
    return found


def _load(name: str, percent: int, peak: float | None, behind: Replicas) -> Load:
    requests = None if peak is None else peak * percent / 100
    total = behind.total
    share = None if requests is None or not total else requests / total
    return Load(name, requests, behind.instances, share, _words(name, percent, share, behind))


def _words(name: str, percent: int, share: float | None, behind: Replicas) -> str:
    count = "an unknown number of" if behind.instances is None else str(behind.instances)
    replicas = "replica" if behind.instances == 1 else "replicas"
    if share is None:
        return f"{name} at {percent}\u00a0%: what its {count} {replicas} can carry is not known"
    whose = f", by {behind.borrowed}'s figure" if behind.borrowed else ""
    carried = f"{share * 100:.0f}\u00a0% of what its {count} {replicas} can carry"
    return f"{name} at {percent}\u00a0%: {carried}{whose}"


def check(base: Base, steps: Sequence[Step], peak: Peak, replicas: Mapping[str, Replicas]) -> Verdict:
    """The worst of every deployment in every step. What was as bad in the base is told, and does not block."""
    if peak.requests is None:
        return Verdict(
            NAME, Outcome.INCONCLUSIVE, f"No load was measured. {peak.words}".strip(), acceptable=True
        )
    before = {load.deployment: load for load in loads(_as_step(base), peak.requests, replicas)}
    found = [load for step in steps for load in loads(step, peak.requests, _by(steps, step, replicas))]
    grown = [load for load in found if _grows(load, before.get(load.deployment))]
    over = _worst(load for load in grown if load.share is not None and load.share > FULL)
    if over:
        return Verdict(NAME, Outcome.FAIL, _sentence(over, peak))
    unknown = next((load for load in grown if load.share is None), None)
    if unknown:
        why = replicas.get(unknown.deployment, Replicas(None, None)).source
        words = f"{unknown.words}{f' ({why})' if why else ''}."
        return Verdict(NAME, Outcome.INCONCLUSIVE, words, acceptable=True)
    tight = _worst(load for load in found if load.share is not None and load.share > TIGHT)
    if tight:
        return Verdict(NAME, Outcome.WARN, _sentence(tight, peak))
    worst = _worst(load for load in found if load.share is not None)
    return Verdict(NAME, Outcome.PASS, _sentence(worst, peak) if worst else "Nobody gains traffic.")


def _as_step(base: Base) -> Step:
    return Step("put_split", base.split, base.mirror)


def _by(steps: Sequence[Step], at: Step, replicas: Mapping[str, Replicas]) -> Mapping[str, Replicas]:
    """The replicas as earlier steps of the plan leave them."""
    found = dict(replicas)
    for step in steps[: list(steps).index(at) + 1]:
        if step.verb == "patch_capacity":
            known = found.get(step.deployment, Replicas(None, None))
            found[step.deployment] = Replicas(step.instances, known.per_replica, known.source, known.borrowed)
    return found


def _grows(load: Load, before: Load | None) -> bool:
    """Whether the plan gives this deployment more requests than the base does, or fewer replicas for them."""
    if before is None or load.requests is None or before.requests is None:
        return True
    fewer = load.instances is not None and before.instances is not None and load.instances < before.instances
    return fewer or load.requests > before.requests + 1e-9


def _worst(found: Iterable[Load]) -> Load | None:
    return max(found, key=lambda load: load.share or 0.0, default=None)


def _sentence(load: Load, peak: Peak) -> str:
    least = "at least " if peak.at_least else ""
    return f"{load.words}, with {least}{peak.requests:,.0f} requests a minute ({peak.words})."
