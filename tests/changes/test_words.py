"""Small pure things: verdicts, progress, hints and the commands for the day without a portal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints.changes.byhand import show_command, traffic_command
from endpoints.changes.lifecycle import State
from endpoints.changes.progress import Mark, Way, steps
from endpoints.changes.verdict import Outcome, Verdict, overall, worst_first
from endpoints.changes.wake import Wake, parse
from endpoints.core.ids import WorkspaceId
from tests.changes.deciding import at

WORKSPACE = WorkspaceId("11111111-0000-4000-8000-000000000001", "rg ml", "mlw-prod")


def verdicts(*outcomes: Outcome) -> list[Verdict]:
    return [Verdict(str(number), outcome, "") for number, outcome in enumerate(outcomes)]


def test_overall__mixed__is_the_worst():
    mixed = verdicts(Outcome.PASS, Outcome.ERROR, Outcome.FAIL, Outcome.INCONCLUSIVE)
    assert [one.name for one in worst_first(mixed)] == ["2", "1", "3", "0"]
    assert overall(mixed).outcome is Outcome.FAIL


def test_overall__nothing_was_checked__is_no_pass():
    assert not overall([]).passed


@given(st.lists(st.sampled_from(Outcome), min_size=1))
def test_overall__passes__only_when_everything_does(outcomes):
    assert overall(verdicts(*outcomes)).passed == (set(outcomes) == {Outcome.PASS})


def way(state: State, **reached):
    stages = dict.fromkeys(("started", "sent", "accepted", "applied", "confirmed", "ended"))
    return steps(
        Way(state=state, **(stages | {name: at(second) for name, second in reached.items()}), detail="why")
    )


def test_progress__call_under_way__is_now_at_accepting_with_the_detail():
    found = way(State.APPLYING, started=0, sent=1)
    assert [step.mark for step in found] == [Mark.DONE, Mark.NOW, Mark.TODO, Mark.TODO, Mark.TODO]
    assert found[1].detail == "why"


def test_progress__failed__stops_where_it_failed():
    found = way(State.FAILED, started=0, sent=1, accepted=2, ended=3)
    assert [step.mark for step in found] == [Mark.DONE, Mark.DONE, Mark.FAILED, Mark.TODO, Mark.TODO]


def test_progress__drifted__has_stopped_although_it_has_not_ended():
    assert Mark.FAILED in [step.mark for step in way(State.DRIFTED, started=0)]


def test_progress__adopted_and_done__has_no_open_stage():
    assert {step.mark for step in way(State.SUCCEEDED, started=0, confirmed=3, ended=9)} == {Mark.DONE}


@given(st.integers(1, 10**12), st.integers(1, 10**12), st.text("abc-123", max_size=20))
def test_hint__encoded_and_parsed__is_the_same(change, endpoint, origin):
    wake = Wake(change, endpoint, origin)
    assert parse(wake.encode()) == wake


@pytest.mark.parametrize("payload", ["", "1", "1:", "a:1:", "1:b:", "²:1:", "-1:2:", ":::"])
def test_hint__anything_else_on_the_channel__is_ignored(payload):
    assert parse(payload) is None


@given(st.text(max_size=30))
def test_hint__any_text__never_raises(payload):
    found = parse(payload)
    assert found is None or isinstance(found, Wake)


def test_command__to_move_traffic_by_hand__names_every_deployment():
    command = traffic_command(WORKSPACE, "checkout-risk", {"Blue": 100}, ["blue", "green"])
    assert command == (
        'az ml online-endpoint update --name checkout-risk --traffic "blue=100 green=0" '
        "--workspace-name mlw-prod --resource-group 'rg ml' --subscription 11111111-0000-4000-8000-000000000001"
    )


def test_command__to_look_by_hand__asks_for_traffic():
    assert "--query traffic" in show_command(WORKSPACE, "checkout-risk")
