"""Gates run over past changes: from rows and minutes to what they would have done."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from endpoints.changes import services
from endpoints.changes.draft import walk
from endpoints.changes.gatespec import GateSpec, gate
from endpoints.changes.lifecycle import Kind
from endpoints.changes.models import Change, ChangeRevision, RolloutTemplate, Transition
from endpoints.changes.plan import Base, put_split
from endpoints.changes.selectors import Backtested, backtests
from endpoints.changes.terms import Terms
from endpoints.changes.verdict import Outcome
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment
from endpoints.metrics.models import Telemetry
from endpoints.metrics.services import write_minutes
from endpoints.metrics.telemetry import State
from tests.changes.desk import ALL_BLUE, ALL_GREEN, Desk
from tests.metrics.storing import row
from tests.support.people import make_person, principal

ERRORS = gate("errors", limit=0.01)
BESIDE = gate("errors_vs_stable", limit=0.005)
MINUTE = timedelta(minutes=1)
BEGAN = 90
"""Minutes ago a fifth went to green; everything 30 minutes later, and 10 minutes after that it was done."""
WALKED = (
    ("baking", 0, 90),
    ("applying", 1, 60),
    ("verifying", 1, 60),
    ("baking", 1, 60),
    ("succeeded", 1, 50),
)


def ago(minutes: int) -> datetime:
    return db_now().astimezone(UTC).replace(second=0, microsecond=0) - minutes * MINUTE


def past(
    desk: Desk,
    moves: tuple[tuple[str, int, int], ...] = WALKED,
    *,
    ended: int = 50,
    state: str = "succeeded",
    started: int = BEGAN + 1,
) -> int:
    """A plan of two steps as it is on record."""
    began = ago(started)
    change = Change.objects.create(
        endpoint_id=desk.endpoint_id,
        workspace=desk.workspace,
        kind=Kind.TRAFFIC,
        state=state,
        author=desk.requester,
        created_at=began,
        started_at=began,
        ended_at=ago(ended),
        confirmed_at=ago(BEGAN),
    )
    steps = (put_split({"blue": 80, "green": 20}, {}, bake=1800), put_split(ALL_GREEN, {}, bake=600))
    ChangeRevision.objects.create(
        change=change,
        number=1,
        plan=[step.as_json() for step in steps],
        base=Base(ALL_BLUE, {}, "s").as_json(),
        content_hash="h",
        created_at=began,
    )
    Transition.objects.bulk_create(
        Transition(
            change=change, version=place, after=after, step=step, actor="system:executor", at=ago(when)
        )
        for place, (after, step, when) in enumerate(moves, start=2)
    )
    return change.pk


def measured(desk: Desk, *, failed: float = 0, after: int = 0) -> None:
    """Every minute since before the change; green failed so many of 400 from so many minutes after its start on."""
    now = db_now()
    Telemetry.objects.create(endpoint_id=desk.endpoint_id, state=State.FLOWING, minute=now, read_at=now)
    _serve(desk, "blue", BEGAN + 60, 1600, 0, 0)
    _serve(desk, "green", BEGAN, 400, failed, after)


def _serve(desk: Desk, name: str, since: int, requests: float, failed: float, after: int) -> None:
    key = Deployment.objects.get(endpoint=desk.endpoint_id, name_key=name, deleted_at=None).pk
    rest = {"model_errors": 0, "status_429": 0, "p95": 50}
    write_minutes(
        row(
            key,
            ago(since) + place * MINUTE,
            requests=requests,
            status_5xx=failed if place >= after else 0,
            **rest,
        )
        for place in range(since)
    )


def under(desk: Desk, *gates: GateSpec, **more: Any) -> tuple[Backtested, ...]:
    return backtests(principal(desk.reviewer), gates or (ERRORS, BESIDE), **more).rows


def test_backtest__of_a_calm_change__passes_each_step_by_its_own_minutes(desk: Desk) -> None:
    number = past(desk)
    measured(desk)
    (found,) = under(desk)
    assert (found.change_id, found.state, found.rolled_back, found.stopped_at) == (
        number,
        "succeeded",
        "",
        None,
    )
    assert [(one.step, one.since, one.until) for one in found.steps] == [
        (0, ago(90), ago(60)),
        (1, ago(60), ago(30)),  # half an hour is looked at, although it was done after ten minutes
    ]
    assert found.outcome is Outcome.PASS
    assert [one.left_out for one in found.steps] == [(), (BESIDE.name,)]


def test_backtest__of_harm_that_nobody_stopped__says_when_and_by_what_it_would_have_been(desk: Desk) -> None:
    past(desk)
    measured(desk, failed=40, after=5)
    (found,) = under(desk)
    assert found.stopped_at is not None
    step, minutes = found.stopped_at
    assert (step, found.outcome) == (0, Outcome.FAIL)
    assert 5 < minutes < 15
    assert found.by in (ERRORS.name, BESIDE.name)
    assert "failed" in found.reason


def test_backtest__without_minutes__is_no_pass(desk: Desk) -> None:
    past(desk)
    (found,) = under(desk)
    assert found.stopped_at is None
    assert found.outcome in (Outcome.INCONCLUSIVE, Outcome.ERROR)


def test_backtest__of_a_change_that_was_rolled_back__ends_with_it_and_says_what_for(desk: Desk) -> None:
    number = past(desk, (("baking", 0, 90), ("superseded", 0, 70)), ended=70, state="superseded")
    measured(desk)
    Change.objects.create(
        endpoint_id=desk.endpoint_id,
        workspace=desk.workspace,
        kind=Kind.ROLLBACK,
        state="succeeded",
        reverts_id=number,
        cause="errors",
        created_at=ago(70),
        started_at=ago(70),
        ended_at=ago(69),
    )
    (found,) = under(desk)
    assert found.rolled_back == "errors"
    assert [(one.since, one.until) for one in found.steps] == [(ago(90), ago(70))]


def test_backtest__the_watch__ends_where_the_next_change_begins(desk: Desk) -> None:
    past(desk)
    measured(desk)
    (found,) = under(desk, watch=20)
    assert found.steps[1].until == ago(40)
    past(desk, (), started=35, ended=34)
    newest, found = under(desk)
    assert found.steps[1].until == ago(35)
    assert (newest.steps, newest.outcome) == ((), Outcome.INCONCLUSIVE)


def test_backtests__newest_first__page_within_what_one_may_see(desk: Desk) -> None:
    numbers = [past(desk) for _ in range(3)]
    first = backtests(principal(desk.reviewer), (ERRORS,), limit=2)
    rest = backtests(principal(desk.reviewer), (ERRORS,), limit=2, before=first.next_before)
    assert [one.change_id for one in (*first.rows, *rest.rows)] == numbers[::-1]
    assert rest.next_before is None
    assert backtests(principal(make_person("olga")), (ERRORS,)).rows == ()
    assert backtests(principal(desk.reviewer), (ERRORS,), endpoint_id=desk.endpoint_id + 1).rows == ()


def test_backtests__what_never_started_or_is_not_over__is_not_among_them(desk: Desk) -> None:
    desk.started()
    desk.roll_back()
    other = desk.request(ALL_GREEN)
    services.withdraw_change(principal=principal(desk.requester), change_id=other)
    assert all(not one.steps for one in under(desk))
    assert other not in [one.change_id for one in under(desk)]


def run(**options: Any) -> str:
    out = StringIO()
    call_command("backtest", stdout=out, **options)
    return out.getvalue()


def test_command__with_gates__tells_each_change_and_the_sum(desk: Desk) -> None:
    number = past(desk)
    measured(desk, failed=40, after=5)
    told = run(gates=json.dumps([{"kind": "errors", "limit": 0.01}]))
    assert f"CR-{number}" in told
    assert "would have stopped in step 1" in told
    assert "0 were rolled back" in told and "0 of these and 1 others" in told


def test_command__with_a_template__uses_its_gates(desk: Desk) -> None:
    past(desk)
    measured(desk)
    RolloutTemplate.objects.create(
        workspace=desk.workspace,
        name="careful",
        steps=[],
        terms=walk(ALL_BLUE, "green", [], Terms(gates=(ERRORS,))).terms.as_json(),
        made_by=desk.reviewer,
        made_at=db_now(),
    )
    assert "would have passed" in run(
        template="careful", workspace=desk.workspace.slug, endpoint="checkout-risk"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gates": "["}, "--gates"),
        ({"gates": "[]"}, "a JSON list"),
        ({"gates": '[{"kind": "tea"}]'}, "tea"),
        ({"gates": '[{"kind": "errors", "limit": -1}]'}, "--gates"),
        ({"gates": "[1]"}, "a JSON list"),
        ({"template": "careful"}, "--workspace"),
        ({"template": "careful", "workspace": "mlw-prod-weu"}, "no template"),
        ({"gates": '[{"kind": "errors"}]', "workspace": "nowhere"}, "nowhere"),
        ({"gates": '[{"kind": "errors"}]', "workspace": "mlw-prod-weu", "endpoint": "none"}, "none"),
        ({"gates": '[{"kind": "errors"}]', "limit": 0}, "--limit"),
    ],
)
def test_command__asked_for_what_is_not_there__says_so_and_that_nothing_was_tested(
    desk: Desk, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(CommandError, match="Nothing was tested") as error:
        run(**options)
    assert words in str(error.value)
