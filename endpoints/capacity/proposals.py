"""What could be saved on one deployment, and what must be left alone and why. Pure; VERSION names these rules.

At most one proposal counts in sums, the one that saves most; the others are noted beside it, so that no instance is
saved twice. Never proposed is what somebody still needs: a rollback target, what an open case holds, what receives
mirrored traffic or requests that name it by header.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from endpoints.capacity.needs import Need
from endpoints.core.money import Money

VERSION = 3
MONTH_HOURS = Decimal(730)
"""Hours of a month: 8,760 hours of a year, by twelve."""


class Kind(StrEnum):
    """What to do."""

    DELETE = "delete"
    DELETE_ENDPOINT = "delete-endpoint"  # by `endpoint_proposals` alone
    SHRINK = "shrink"
    RESIZE = "resize"
    SCHEDULE = "schedule"  # down to one instance while nobody works
    AUTOSCALE = "autoscale"
    FIX_AUTOSCALE = "fix-autoscale"
    BATCH = "batch"


class Level(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Settings:
    """A workspace's own bounds."""

    idle_days: int = 30  # so long without a request before a delete is proposed
    known_share: float = 0.95  # of the hours looked at, so many must be known
    usage_target: float = 0.7  # of a smaller size, at its busiest
    off_hours_idle: float = 0.8  # of nights and weekends, before they are scheduled down
    batch_share: float = 0.05  # of hours with requests, up to which batch is proposed


@dataclass(frozen=True, slots=True)
class Smaller:
    """A smaller size that Azure offers there: its share of the cores and memory of today's, and its price."""

    sku: str
    cores: float
    memory: float
    per_hour: Money


@dataclass(frozen=True, slots=True)
class Keeps:
    """Who still needs it. `warm_until`: a rollback would go back to it until then."""

    warm_until: datetime | None = None
    warm_for: str = ""
    cases: Sequence[str] = ()
    active_change: str = ""
    protected: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """One deployment and what its look-back window says. Shares are of hours; None: not known."""

    instances: int | None
    per_hour: Money | None  # of one instance
    price_date: datetime | None
    weight: int | None
    mirrored: int | None
    days: int  # that were looked at, and in all of which it was there
    known_share: float
    requests: float | None
    served_share: float | None  # hours with a request
    off_hours_idle: float | None  # of nights and weekends, those without a request
    off_hours_share: float  # nights and weekends of all hours
    cpu: float | None  # share of the cores in the busiest minutes, 0 to 1
    memory: float | None
    gpu: bool
    need: Need
    smaller: Sequence[Smaller] = ()
    autoscaled: bool | None = None
    autoscale_faults: Sequence[str] = ()
    keeps: Keeps = Keeps()
    excluded: str = ""  # the tag or rule by which it is left out
    quiet_since: datetime | None = None  # its traffic was taken away then, and no request came since


@dataclass(frozen=True, slots=True)
class Proposal:
    """A way to save. `low` to `high` a month; None: the price is not known. `formula` says how it was worked out."""

    kind: Kind
    to: str  # "2 instances", "Standard_DS2_v2", ""
    instances: int | None
    sku: str
    low: Money | None
    high: Money | None
    sure: Level
    risk: Level
    formula: str
    evidence: tuple[str, ...]
    effect: str  # on peak load and on rolling back


@dataclass(frozen=True, slots=True)
class Advice:
    """The proposal that counts, others that save on the same instances, and why something is left alone.

    `held`: what would have been proposed, were it not kept.
    """

    best: Proposal | None
    others: tuple[Proposal, ...] = ()
    kept: tuple[str, ...] = ()
    held: Proposal | None = None


def advise(subject: Subject, settings: Settings, now: datetime) -> Advice:
    """What to do about one deployment at `now`."""
    kept = _kept(subject, now)
    if subject.instances is None:
        return Advice(None, kept=(*kept, "Azure has not said how many instances it has."))
    found = [
        proposal
        for rule in (_delete, _shrink, _resize, _schedule, _autoscale, _fix_autoscale, _batch)
        if (proposal := rule(subject, settings))
    ]
    ranked = sorted(found, key=_worth, reverse=True)
    if not kept:
        return Advice(ranked[0] if ranked else None, tuple(ranked[1:]))
    # What is needed as it is may still have a rule put right, which takes nothing from it.
    right = [one for one in ranked if one.kind is Kind.FIX_AUTOSCALE and not subject.excluded]
    held = [one for one in ranked if one not in right]
    return Advice(right[0] if right else None, kept=kept, held=held[0] if held else None)


def is_unsure(subject: Subject, settings: Settings) -> bool:
    """Whether too little is known to say that there is nothing to save: what was found before stays as it was."""
    if subject.instances is None or subject.weight is None or subject.mirrored is None:
        return True
    return not subject.requests and (subject.requests is None or subject.known_share < settings.known_share)


def _kept(subject: Subject, now: datetime) -> tuple[str, ...]:
    keeps, words = subject.keeps, [f"Left out by {subject.excluded}."] if subject.excluded else []
    if keeps.warm_until is not None and now < keeps.warm_until:
        words.append(
            f"A rollback of {keeps.warm_for} would go back to it until {keeps.warm_until:%Y-%m-%d %H:%M} UTC."
        )
    if keeps.active_change:
        words.append(f"{keeps.active_change} is at work on it.")
    words += [f"{case} still needs it." for case in keeps.cases]
    words += [f"{reason.rstrip('.')}." for reason in keeps.protected]
    if subject.mirrored:
        words.append(f"{subject.mirrored}\u00a0% of the traffic is mirrored to it.")
    elif subject.weight == 0 and subject.requests and subject.quiet_since is None:
        words.append("Requests reach it although its weight is 0: somebody names it by header.")
    elif subject.weight == 0 and subject.requests:
        words.append(f"It had traffic until {subject.quiet_since:%Y-%m-%d %H:%M} UTC.")
    return tuple(words)


def _worth(proposal: Proposal) -> Decimal:
    return proposal.high.amount if proposal.high else Decimal(-1)


def _instances(count: int) -> str:
    return "1 instance" if count == 1 else f"{count} instances"


def _month(subject: Subject, instances: Decimal | int) -> Money | None:
    return subject.per_hour.times(Decimal(instances) * MONTH_HOURS) if subject.per_hour else None


def _share(money: Money | None, share: float) -> Money | None:
    return money.times(Decimal(str(round(share, 6)))) if money else None


def _formula(subject: Subject, saved: str) -> str:
    if subject.per_hour is None:
        return f"{saved} x {MONTH_HOURS} h x price, which is not known."
    dated = f" of {subject.price_date:%Y-%m-%d}" if subject.price_date else ""
    return f"{saved} x {MONTH_HOURS} h x {subject.per_hour}{dated}."


def _delete(subject: Subject, settings: Settings) -> Proposal | None:
    """Nobody asked it for so long, and no traffic is sent to it."""
    quiet = subject.weight == 0 and subject.mirrored == 0 and subject.requests == 0
    if not quiet or subject.days < settings.idle_days or subject.known_share < settings.known_share:
        return None
    count = subject.instances or 0
    high = _month(subject, count)
    return Proposal(
        Kind.DELETE, "", 0, "", high, high, Level.HIGH, Level.LOW,
        _formula(subject, _instances(count)),
        (f"No request in {subject.days} days.", f"{subject.known_share:.0%} of the hours are known."),
        "None on peak load: it has no traffic. Afterwards no rollback can go back to it.",
    )  # fmt: skip


def _shrink(subject: Subject, settings: Settings) -> Proposal | None:
    """Fewer instances carry the percentile of its load, headroom included. What rules scale, they would scale back."""
    wanted, count = subject.need.instances, subject.instances or 0
    if (
        wanted is None
        or subject.autoscaled
        or not subject.requests
        or wanted >= count
        or subject.known_share < settings.known_share
    ):
        return None
    high = _month(subject, count - wanted)
    told = (subject.need.words,) if subject.autoscaled is False else (subject.need.words, _RULES_UNKNOWN)
    return Proposal(
        Kind.SHRINK, _instances(wanted), wanted, "", _share(high, subject.known_share), high,
        _sure_of_load(subject, settings), Level.MEDIUM,
        _formula(subject, f"{count - wanted} of {_instances(count)}"),
        told,
        f"At its busiest {_instances(wanted)} would carry what {count} do now; a rollback to it would scale first.",
    )  # fmt: skip


_RULES_UNKNOWN = "Whether autoscale rules would scale it back is not known."


def _sure_of_load(subject: Subject, settings: Settings) -> Level:
    """What may be scaled by rules that nobody read is not what anybody is sure of."""
    if subject.autoscaled is None:
        return Level.LOW
    long = subject.need.bound == "concurrency" or subject.days >= settings.idle_days
    return Level.HIGH if long else Level.MEDIUM


def _resize(subject: Subject, settings: Settings) -> Proposal | None:
    """The cheapest smaller size on which the busiest minutes still stay under the target."""
    if (
        subject.cpu is None
        or subject.memory is None
        or subject.gpu
        or subject.per_hour is None
        or not subject.requests
    ):
        return None
    fits = [
        one
        for one in subject.smaller
        if one.per_hour.currency == subject.per_hour.currency
        and one.per_hour.amount < subject.per_hour.amount
        and subject.cpu / one.cores <= settings.usage_target
        and subject.memory / one.memory <= settings.usage_target
    ]
    if not fits or subject.known_share < settings.known_share:
        return None
    best = min(fits, key=lambda one: one.per_hour.amount)
    count = subject.instances or 0
    less = Money(subject.per_hour.amount - best.per_hour.amount, best.per_hour.currency)
    high = less.times(Decimal(count) * MONTH_HOURS)
    return Proposal(
        Kind.RESIZE, best.sku, count, best.sku, _share(high, subject.known_share), high, Level.MEDIUM, Level.MEDIUM,
        f"{count} instances x {MONTH_HOURS} h x ({subject.per_hour} - {best.per_hour}).",
        (f"In its busiest minutes {subject.cpu:.0%} of the cores and {subject.memory:.0%} of the memory are used.",),
        f"There {subject.cpu / best.cores:.0%} of the cores would be used. It takes a new deployment, by a rollout.",
    )  # fmt: skip


def _schedule(subject: Subject, settings: Settings) -> Proposal | None:
    """Nights and weekends on one instance."""
    idle, count = subject.off_hours_idle, subject.instances or 0
    if (
        idle is None
        or idle < settings.off_hours_idle
        or count < 2
        or not subject.requests
        or subject.autoscaled
    ):
        return None
    high = _share(_month(subject, count - 1), subject.off_hours_share)
    return Proposal(
        Kind.SCHEDULE, "1 instance at nights and weekends", 1, "", _share(high, idle), high, Level.MEDIUM, Level.MEDIUM,
        _formula(subject, f"{count - 1} of {count} instances x {subject.off_hours_share:.0%} of the time"),
        (f"{idle:.0%} of nights and weekends had no request.",),
        "In the morning instances take minutes to come; a sudden load at night meets one instance.",
    )  # fmt: skip


def _autoscale(subject: Subject, settings: Settings) -> Proposal | None:
    """Its load moves and its instances do not. How much that saves is an estimate: half of what is over."""
    wanted, count = subject.need.instances, subject.instances or 0
    if subject.autoscaled is not False or count < 3 or wanted is None or wanted < 2 or not subject.requests:
        return None
    quiet = 1 - (subject.served_share or 1.0)
    if quiet < 0.25 and wanted >= count:
        return None
    high = _share(_month(subject, count - 1), max(quiet, 1 - wanted / count))
    return Proposal(
        Kind.AUTOSCALE, f"1 to {count} instances by load", None, "", _share(high, 0.5), high, Level.LOW, Level.MEDIUM,
        _formula(subject, f"up to {count - 1} instances while they are not needed"),
        (subject.need.words,),
        "It follows the load with some minutes' delay; never above today's number.",
    )  # fmt: skip


def _fix_autoscale(subject: Subject, settings: Settings) -> Proposal | None:
    if not subject.autoscale_faults:
        return None
    count = subject.instances or 0
    over = count - (subject.need.instances or count)
    high = _month(subject, max(0, over))
    return Proposal(
        Kind.FIX_AUTOSCALE, "", None, "", _share(high, 0.0), high, Level.MEDIUM, Level.LOW,
        _formula(subject, f"up to {_instances(max(0, over))}"),
        tuple(subject.autoscale_faults),
        "None on peak load: only the way back down changes.",
    )  # fmt: skip


def _batch(subject: Subject, settings: Settings) -> Proposal | None:
    """So few hours have requests that somebody could collect them and score them at once."""
    served = subject.served_share
    if (
        not served
        or served > settings.batch_share
        or subject.known_share < settings.known_share
        or not subject.requests
    ):
        return None
    count = subject.instances or 0
    high = _month(subject, count)
    return Proposal(
        Kind.BATCH, "a batch endpoint", 0, "", Money(Decimal(0), high.currency) if high else None, high,
        Level.LOW, Level.HIGH,
        _formula(subject, f"up to {_instances(count)}"),
        (f"Requests came in {served:.1%} of the hours.",),
        "Whoever calls it must wait for an answer: only its owner can say whether that is possible.",
    )  # fmt: skip


def totals(advices: Mapping[str, Advice]) -> tuple[dict[str, Decimal], int]:
    """What could be saved a month, by currency, and how many proposals have no known price. Each deployment once."""
    sums: dict[str, Decimal] = {}
    unpriced = 0
    for advice in advices.values():
        if advice.best is None:
            continue
        if advice.best.high is None:
            unpriced += 1
            continue
        high = advice.best.high
        sums[high.currency] = sums.get(high.currency, Decimal(0)) + high.amount
    return sums, unpriced
