"""One change and everything that people may do around it, in any order, with a second opinion on each start.

The second opinion knows nothing of the product's quorum: it keeps its own book of who said what when, and asks at each
start whether what it knows allows it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import transaction

from endpoints.access.models import Grant, User
from endpoints.access.policies import Principal
from endpoints.access.selectors import principal_for_token
from endpoints.changes import services
from endpoints.changes.models import AfterReview, ApprovalRule, Change, Lease
from endpoints.core.errors import OpsportalError
from endpoints.dispatch import db_now
from tests.changes.approving import give_role, lose_roles, person, rule
from tests.changes.desk import ALL_GREEN, HALF, Desk
from tests.support.people import principal, token_for

QUARTER = {"blue": 75, "green": 25}


@dataclass
class Cast:
    """Everybody around the desk. `human` maps an account to the person behind it."""

    desk: Desk
    author: User
    author_again: User
    reviewers: Sequence[User]
    breaker: User
    tokens: dict[int, str]
    human: dict[int, str]
    warnings: Sequence[str] = ()
    """What approving asks to accept; it does not depend on the split here, so it is asked for once."""

    @property
    def approvers(self) -> list[User]:
        """Whoever might try, whether they may or not."""
        return [*self.reviewers, self.author, self.author_again, self.breaker, self.desk.operator]


def cast_of(desk: Desk) -> Cast:
    """An author who could also review, with a second account; three reviewers of whom two are one person."""
    author = person(desk, "alma", "requester", "reviewer", "operator")
    again = person(desk, "alma2", "requester", "reviewer")
    vito, vito_again = person(desk, "vito", "reviewer"), person(desk, "vito2", "reviewer")
    breaker = person(desk, "olga", "operator", "reviewer")
    User.objects.filter(pk=again.pk).update(second_account_of=author)
    User.objects.filter(pk=vito_again.pk).update(second_account_of=vito)
    everybody = [author, again, desk.reviewer, vito, vito_again, breaker, desk.operator]
    human = {user.pk: user.username.removesuffix("2") for user in everybody}
    tokens = {user.pk: token_for(user, "read", "change", "approve") for user in everybody}
    return Cast(desk, author, again, [desk.reviewer, vito, vito_again], breaker, tokens, human)


@dataclass
class Book:
    """What the second opinion knows. `approvals`: account to the content that it approved."""

    approvals: dict[int, str] = field(default_factory=dict)
    expired: bool = False
    rejected: bool = False
    rules: int = 1
    writers: set[str] = field(default_factory=set)


class Play:
    """One interleaving: the acts of one seed, each followed by the second opinion."""

    def __init__(self, cast: Cast, seed: int) -> None:
        self.cast, self.desk = cast, cast.desk
        self.dice = random.Random(seed)
        self.book = Book()
        self.change_id = 0
        self.hashes: list[str] = []
        self.seen = Change()
        self.done: list[str] = []

    def play(self, acts: int) -> list[str]:
        """The acts that were allowed, in order."""
        if self.dice.random() < 0.4:
            tighten(self)
        author = self.dice.choice([self.cast.author, self.cast.author_again])
        self.book.writers.add(self.cast.human[author.pk])
        self.change_id = self.desk.request(HALF, by=self._as(author))
        self.hashes.append(self.desk.hash(self.change_id))
        self.seen = self._now()
        self.cast.warnings = self.cast.warnings or self.desk.warnings(self.change_id)
        for act in self.dice.choices(ACTS, weights=self._weights(), k=acts):
            self._try(act)
        return self.done

    def _weights(self) -> list[int]:
        """Each order favours some acts and leaves others out, or the rare combinations would never come."""
        return [
            weight * (1 if act in (approve, start) else self.dice.choice([0, 0, 1, 1, 4]))
            for act, weight in zip(ACTS, WEIGHTS, strict=True)
        ]

    def _try(self, act: Callable[[Play], None]) -> None:
        before = self.seen
        try:
            with transaction.atomic():
                act(self)
        except OpsportalError:
            self.seen = self._now()
            assert _place(self.seen) == _place(before), f"{act.__name__} was refused and moved it"
            return
        self.seen = self._now()
        self.done.append(act.__name__)
        self._judge(before, act.__name__)

    def _now(self) -> Change:
        return self.desk.change(self.change_id)

    def _judge(self, before: Change, act: str) -> None:
        now = self.seen
        if before.started_at is not None or now.started_at is None:
            return
        if now.emergency:
            assert act == "break_glass"
            assert AfterReview.objects.filter(change=now).exists()
            return
        self._start_was_allowed(now, act)

    def _start_was_allowed(self, now: Change, act: str) -> None:
        """No stale approval, none by who wrote it, enough people: by the book alone."""
        told = f"{act} after {self.done}"
        assert act in ("start", "start_due"), told
        assert not self.book.expired, told
        assert not self.book.rejected, told
        content = self.desk.hash(now.pk)
        people = {
            self.cast.human[account]
            for account, approved in self.book.approvals.items()
            if approved == content and self._may_review(account)
        }
        assert not people & self.book.writers, f"self-approval: {told}"
        assert len(people) >= self.book.rules, f"stale approval or too few people: {told}"

    def _may_review(self, account: int) -> bool:
        return Grant.objects.filter(
            user=account, role="reviewer", workspace=self.desk.workspace, until=None
        ).exists()

    def _as(self, user: User) -> Principal:
        """In a session, or with a token."""
        if self.dice.random() < 0.25:
            by_token = principal_for_token(self.cast.tokens[user.pk])
            assert by_token is not None
            return by_token
        return principal(user)

    def _hash(self) -> str:
        """Mostly what is there now; sometimes what somebody read long ago."""
        return self.dice.choice(
            [self.hashes[-1], self.hashes[-1], self.hashes[-1], self.dice.choice(self.hashes)]
        )


def _place(change: Change) -> tuple[str, int]:
    return change.state, change.version


def approve(play: Play) -> None:
    user, seen = play.dice.choice(play.cast.approvers), play._hash()
    play.desk.approve(play.change_id, by=play._as(user), seen_hash=seen, accept=play.cast.warnings)
    play.book.approvals[user.pk] = seen


def edit(play: Play) -> None:
    user = play.dice.choice([play.cast.author, play.cast.author_again, play.cast.reviewers[1]])
    split = play.dice.choice([ALL_GREEN, HALF, QUARTER])
    play.desk.edit(play.change_id, split, by=play._as(user))
    play.hashes.append(play.desk.hash(play.change_id))
    play.book.writers.add(play.cast.human[user.pk])
    play.book.expired = False


def expire(play: Play) -> None:
    if play.seen.started_at is None and play.seen.ended_at is None:
        play.desk.expire_now(play.change_id)
        play.book.expired = True


def sweep(play: Play) -> None:
    services.expire_due()


def lose_role(play: Play) -> None:
    lose_roles(play.dice.choice([*play.cast.reviewers, play.cast.breaker, play.desk.operator]))


def give_back(play: Play) -> None:
    for user in (*play.cast.reviewers, play.cast.breaker):
        give_once(play, user, "reviewer")
    for user in (play.cast.breaker, play.desk.operator):
        give_once(play, user, "operator")


def give_once(play: Play, user: User, role: str) -> None:
    if not Grant.objects.filter(user=user, role=role, workspace=play.desk.workspace, until=None).exists():
        give_role(play.desk, user, role)


def withdraw(play: Play) -> None:
    play.desk.withdraw(play.change_id, by=play._as(play.cast.author))


def reject(play: Play) -> None:
    play.desk.reject(play.change_id, by=play._as(play.dice.choice(play.cast.approvers)))
    play.book.rejected = True


def start(play: Play) -> None:
    user = play.dice.choice([play.desk.operator, play.cast.breaker, play.cast.author, *play.cast.reviewers])
    play.desk.start(play.change_id, by=play._as(user), seen_hash=play._hash())


def schedule(play: Play) -> None:
    play.desk.schedule(play.change_id, by=play._as(play.dice.choice([play.desk.operator, play.cast.author])))


def unschedule(play: Play) -> None:
    services.unschedule_change(principal=play._as(play.desk.operator), change_id=play.change_id)


def start_due(play: Play) -> None:
    if play.seen.state == "scheduled":
        play.desk.due_now(play.change_id)
    services.start_due()


def break_glass(play: Play) -> None:
    play.desk.break_glass(
        play.change_id, by=play._as(play.dice.choice([play.cast.breaker, play.cast.author]))
    )


def review_after(play: Play) -> None:
    user = play.dice.choice(play.cast.approvers)
    services.review_after(
        principal=play._as(user), change_id=play.change_id, sound=True, words="looked at it"
    )
    breaker = play.seen.started_by_id or 0
    assert play.cast.human[user.pk] not in play.book.writers | {play.cast.human[breaker]}, (
        "reviewed one's own"
    )


def tighten(play: Play) -> None:
    if play.book.rules == 1:
        rule(play.desk, 2)
        play.book.rules = 2


def loosen(play: Play) -> None:
    ApprovalRule.objects.filter(ended_at=None).update(ended_at=db_now())
    play.book.rules = 1


ACTS: tuple[Callable[[Play], None], ...] = (
    approve, edit, expire, sweep, lose_role, give_back, withdraw, reject, start, schedule, unschedule, start_due,
    break_glass, review_after, tighten, loosen,
)  # fmt: skip
WEIGHTS = (16, 3, 1, 1, 2, 3, 1, 1, 8, 4, 1, 3, 3, 8, 1, 1)


def clear(play: Play) -> None:
    """The desk as it was, for the next interleaving."""
    now = play.seen
    if now.ended_at is None:
        Change.objects.filter(pk=now.pk).update(state="failed", ended_at=db_now())
    Lease.objects.update(goal=None)
    give_back(play)
    loosen(play)
