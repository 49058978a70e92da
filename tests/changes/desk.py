"""What people do with changes, in one line each, on real rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from endpoints.access.models import User, Workspace
from endpoints.access.policies import Principal
from endpoints.audit.models import Entry
from endpoints.changes import services
from endpoints.changes.checks import run
from endpoints.changes.models import Change, ChangeRevision, Transition
from endpoints.changes.selectors.situation import situation_of
from endpoints.changes.targets import key_of
from endpoints.dispatch import db_now
from tests.support.load import serve
from tests.support.people import make_endpoint, principal

HALF = {"blue": 50, "green": 50}
ALL_GREEN = {"green": 100}
ALL_BLUE = {"blue": 100}


@dataclass
class Desk:
    """One endpoint with everything on blue, and the people around it."""

    workspace: Workspace
    requester: User
    reviewer: User
    operator: User
    endpoint_id: int = 0

    def __post_init__(self) -> None:
        self.endpoint_id = self.endpoint_id or make_endpoint(self.workspace).pk
        serve(self.endpoint_id)

    def request(self, split: Mapping[str, int] = HALF, *, by: Principal | None = None, **more: Any) -> int:
        return services.request_change(
            **{
                "principal": by or principal(self.requester),
                "endpoint_id": self.endpoint_id,
                "split": split,
                "reason": "version 24 is better",
            }
            | more
        )

    def approve(
        self, change_id: int, *, by: Principal | None = None, seen_hash: str = "", **more: Any
    ) -> int:
        """With every warning accepted, unless `accept` says otherwise."""
        services.approve_change(
            **{
                "principal": by or principal(self.reviewer),
                "change_id": change_id,
                "seen_hash": seen_hash or self.hash(change_id),
            }
            | ({} if "accept" in more else {"accept": self.warnings(change_id)})
            | more
        )
        return change_id

    def warnings(self, change_id: int) -> list[str]:
        """What must be accepted by name now."""
        verdicts = run(situation_of(self.change(change_id)))
        return [verdict.name for verdict in verdicts if verdict.needs_acceptance]

    def reject(self, change_id: int, *, by: Principal | None = None, comment: str = "not yet") -> None:
        services.reject_change(
            principal=by or principal(self.reviewer),
            change_id=change_id,
            seen_hash=self.hash(change_id),
            comment=comment,
        )

    def edit(
        self, change_id: int, split: Mapping[str, int] = ALL_GREEN, *, by: Principal | None = None
    ) -> None:
        services.edit_change(
            principal=by or principal(self.requester),
            change_id=change_id,
            seen_hash=self.hash(change_id),
            split=split,
            reason="better still",
        )

    def start(self, change_id: int, *, by: Principal | None = None, seen_hash: str = "", **more: Any) -> int:
        services.start_change(
            principal=by or principal(self.operator),
            change_id=change_id,
            seen_hash=seen_hash or self.hash(change_id),
            **more,
        )
        return change_id

    def schedule(
        self,
        change_id: int,
        *,
        by: Principal | None = None,
        ahead: timedelta = timedelta(hours=1),
        **more: Any,
    ) -> int:
        services.schedule_change(
            principal=by or principal(self.operator),
            change_id=change_id,
            seen_hash=self.hash(change_id),
            start_at=db_now() + ahead,
            **more,
        )
        return change_id

    def break_glass(self, change_id: int, *, by: Principal | None = None, **more: Any) -> int:
        services.break_glass(
            **{
                "principal": by or principal(self.operator),
                "change_id": change_id,
                "seen_hash": self.hash(change_id),
                "reason": "customers are charged twice",
                "proved_at": db_now(),
            }
            | more
        )
        return change_id

    def due_now(self, change_id: int, *, since: timedelta = timedelta(seconds=1)) -> None:
        """Put the time at which it is to start into the past."""
        Change.objects.filter(pk=change_id).update(start_at=db_now() - since)

    def approved(self, split: Mapping[str, int] = HALF) -> int:
        return self.approve(self.request(split))

    def started(self, split: Mapping[str, int] = HALF) -> int:
        return self.start(self.approved(split))

    def roll_back(
        self, split: Mapping[str, int] = ALL_BLUE, *, by: Principal | None = None, **more: Any
    ) -> Any:
        return services.roll_back(
            principal=by or principal(self.operator),
            endpoint_id=self.endpoint_id,
            target_key=key_of(split, {}),
            **more,
        )

    def withdraw(self, change_id: int, *, by: Principal | None = None) -> None:
        services.withdraw_change(principal=by or principal(self.requester), change_id=change_id)

    def azure_shows(self, split: Mapping[str, int], **more: Any) -> None:
        """A later reading of the endpoint."""
        make_endpoint(self.workspace, traffic=split, **more)

    def change(self, change_id: int) -> Change:
        return Change.objects.get(pk=change_id)

    def state(self, change_id: int) -> str:
        return self.change(change_id).state

    def hash(self, change_id: int) -> str:
        change = self.change(change_id)
        return ChangeRevision.objects.get(change=change, number=change.revision).content_hash

    def expire_now(self, change_id: int) -> None:
        """Put the clock of its approval into the past."""
        Change.objects.filter(pk=change_id).update(approval_expires_at=db_now() - timedelta(seconds=1))

    def finish(self, change_id: int, state: str) -> None:
        """As the executor leaves it when it is done."""
        Change.objects.filter(pk=change_id).update(state=state, ended_at=db_now())


def history(change_id: int) -> list[str]:
    """The states that the change went through."""
    rows = Transition.objects.filter(change_id=change_id).order_by("version")
    return list(rows.values_list("after", flat=True))


def ledger(change_id: int) -> list[str]:
    """What the ledger says about the change."""
    rows = Entry.objects.filter(subject=f"change:{change_id}").order_by("seq")
    return list(rows.values_list("action", flat=True))


def rows() -> tuple[int, int, int, int]:
    """How many changes, revisions, transitions and ledger entries there are."""
    return (
        Change.objects.count(),
        ChangeRevision.objects.count(),
        Transition.objects.count(),
        Entry.objects.count(),
    )
