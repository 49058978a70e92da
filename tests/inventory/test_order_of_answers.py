"""Answers that arrive in any order never make a wrong history."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from endpoints.inventory.models import EndpointRevision
from endpoints.inventory.selectors import endpoint_as_of
from endpoints.inventory.services import observe_endpoint
from endpoints.inventory.timeline import Certainty
from tests.inventory.support import at, endpoint_document, endpoint_reading, make_workspace

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Read:
    """An answer: true at `moment`, which lies between `began` and `ended`, and brought at `arrival`."""

    began: int
    moment: int
    ended: int
    arrival: int


gaps = st.integers(1, 12)
reads = st.builds(
    lambda began, before, after, delay: Read(
        began, began + before, began + before + after, began + before + after + delay
    ),
    st.integers(0, 100),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 30),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    switches=st.lists(gaps, max_size=12),
    answers=st.lists(reads, min_size=1, max_size=10),
    probes=st.lists(gaps),
)
def test_history__answers_arrive_in_any_order__agrees_with_what_was_true(switches, answers, probes):
    """In the true world a new split appears at each switch and none ever returns."""
    times = list(accumulate(switches))
    workspace = make_workspace()

    def truth(moment: float) -> int:
        return sum(1 for time in times if time <= moment)

    for answer in sorted(answers, key=lambda one: one.arrival):
        split = {f"d{truth(answer.moment)}": 100}
        reading = endpoint_reading(endpoint_document(workspace, traffic=split), answer.began, answer.ended)
        observation = observe_endpoint(workspace_id=workspace.pk, reading=reading)

    rows = list(EndpointRevision.objects.filter(endpoint__workspace=workspace).order_by("pk"))
    states = [_number(row.state) for row in rows]
    assert states == sorted(set(states))
    for row in rows[1:]:
        began = at(times[_number(row.state) - 1])
        assert began <= row.latest
        assert row.earliest <= row.latest
    for moment in accumulate(probes):
        then = endpoint_as_of(observation.endpoint_id, at(moment))
        found = [_number(one.state) for one in then.states]
        if then.certainty is Certainty.CERTAIN:
            assert found == [truth(moment)]
        if then.certainty is Certainty.ONE_OF_TWO:
            assert found[0] <= truth(moment) <= found[1]


def _number(state) -> int:
    (name,) = state["traffic"]
    return int(name.removeprefix("d"))
