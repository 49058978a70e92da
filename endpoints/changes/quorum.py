"""How many people must approve a change, who of them counts, and until when. Pure.

Every rule that matches must be met by itself; one approval counts for each of them. Where none matches, one
reviewer is enough. An approval counts while its reviewer may still give it, for the content that they saw, up to
its age; and a human counts once, whatever accounts they use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from endpoints.changes.plan import Base, Step, rising
from endpoints.holds.scope import Scope, Target, applies


@dataclass(frozen=True, slots=True)
class Rule:
    """`required` people must approve what `scope` and `risk_weight` take in; `named`: only these accounts count."""

    title: str
    scope: Scope = field(default_factory=Scope)
    risk_weight: int = 0
    required: int = 1
    named: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Subject:
    """What of a change rules look at. `highest`: the percent that it brings some deployment to."""

    target: Target
    highest: int


@dataclass(frozen=True, slots=True)
class Approval:
    """One stored approval as it is seen now. `accounts`: all that the reviewer can act as.

    `refusal`: why this reviewer could not approve now; "" when they could.
    """

    reviewer_id: int
    accounts: frozenset[int]
    content_hash: str
    at: datetime
    accepted: frozenset[str] = frozenset()
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Quorum:
    """`needed` people at least, `given` of them so far. `missing` says in words what each unmet rule still wants.

    `accepted`: the warnings that those who count have accepted. `until`: when age makes it fall short; None where it
    falls short already.
    """

    needed: int
    given: int
    missing: tuple[str, ...]
    accepted: frozenset[str] = frozenset()
    until: datetime | None = None

    @property
    def met(self) -> bool:
        return not self.missing


ONE_REVIEWER = Rule("")


def highest(base: Base, steps: Iterable[Step]) -> int:
    """The highest percent that a deployment which gains traffic reaches; switching an endpoint off counts as 100."""
    given = [
        100
        if not step.split
        else max((step.split[name] for name in rising(base.split, step.split)), default=0)
        for step in steps
    ]
    return max(given, default=0)


def matching(rules: Iterable[Rule], subject: Subject) -> list[Rule]:
    """The rules that the change must meet."""
    found = [
        rule for rule in rules if rule.risk_weight <= subject.highest and applies(rule.scope, subject.target)
    ]
    return found or [ONE_REVIEWER]


def quorum(
    rules: Sequence[Rule],
    approvals: Iterable[Approval],
    *,
    content_hash: str,
    at: datetime,
    longest: timedelta,
    names: Mapping[int, str] | None = None,
) -> Quorum:
    """Where approvals of this content stand at `at` against the rules that match. `longest`: how old one may be."""
    sealed = [one for one in approvals if one.content_hash == content_hash and not one.refusal]
    found = _count(rules, [one for one in sealed if one.at + longest > at], names or {})
    if not found.met:
        return found
    return Quorum(found.needed, found.given, (), found.accepted, _until(rules, sealed, at, longest))


def humans(accounts: Mapping[int, frozenset[int]]) -> list[frozenset[int]]:
    """These accounts by human. Each comes with all accounts that its human can act as.

    Two are one where one can act as the other. A third account that both can act as (a service's) does not join them.
    """
    groups: list[frozenset[int]] = []
    for one, mine in accounts.items():
        same = [group for group in groups if any(other in mine or one in accounts[other] for other in group)]
        groups = [group for group in groups if group not in same]
        groups.append(frozenset({one}).union(*same))
    return groups


def _people(approvals: Iterable[Approval]) -> int:
    return len(humans({one.reviewer_id: one.accounts for one in approvals}))


def _until(rules: Sequence[Rule], sealed: list[Approval], at: datetime, longest: timedelta) -> datetime:
    """The first moment at which so many have become too old that a rule is not met."""
    ends = sorted({one.at + longest for one in sealed if one.at + longest > at})
    falls = (
        end for end in ends if not _count(rules, [one for one in sealed if one.at + longest > end], {}).met
    )
    return next(falls)  # at the last one's end nobody counts, and every rule wants somebody


def _count(rules: Sequence[Rule], counting: list[Approval], names: Mapping[int, str]) -> Quorum:
    given = _people(counting)
    short = [(rule, shortage) for rule in rules if (shortage := _short(rule, counting)) > 0]
    needed = max([rule.required for rule in rules] + [given + shortage for _, shortage in short])
    accepted = frozenset(name for one in counting for name in one.accepted)
    missing = tuple(_words(rule, count, counting, names) for rule, count in short)
    return Quorum(needed, given, missing, accepted)


def _short(rule: Rule, counting: list[Approval]) -> int:
    theirs = [one for one in counting if not rule.named or one.reviewer_id in rule.named]
    return rule.required - _people(theirs)


def _words(rule: Rule, count: int, counting: list[Approval], names: Mapping[int, str]) -> str:
    more = "one more approval" if count == 1 else f"{count} more approvals"
    whose = f" by {_any_of(rule.named - {one.reviewer_id for one in counting}, names)}" if rule.named else ""
    what = f"The rule “{rule.title}” needs" if rule.title else "It needs"
    return f"{what} {more}{whose}."


def _any_of(people: Iterable[int], names: Mapping[int, str]) -> str:
    known = sorted(names.get(one, "somebody whose account is unknown") for one in people)
    return " or ".join(filter(None, [", ".join(known[:-1]), *known[-1:]])) or "somebody named there"
