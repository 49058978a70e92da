"""Rollout templates: kept, offered, put away; and what is wrong with one is said at once."""

from __future__ import annotations

import pytest

from endpoints.audit.models import Entry
from endpoints.changes import services
from endpoints.changes.draft import walk
from endpoints.changes.gatespec import Kind, gate
from endpoints.changes.models import RolloutTemplate
from endpoints.changes.selectors import template, templates
from endpoints.changes.terms import Terms
from endpoints.core.errors import Conflict, Invalid, NotFound, Refused
from tests.support.people import principal

STEPS = ((5, 600, False), (25, 1200, True), (100, 0, False))
TERMS = Terms(gates=(gate(Kind.ERRORS),), watch=1800)


def make(desk, by=None, *, name="careful", steps=STEPS, terms=TERMS):
    return services.make_template(
        principal=principal(by or desk.reviewer),
        workspace_id=desk.workspace.pk,
        name=name,
        steps=steps,
        terms=terms,
    )


def test_template__made__reads_as_it_was_written_and_makes_a_plan(desk):
    number = make(desk)
    row = template(principal(desk.requester), number)
    assert (row.name, row.steps, row.terms) == ("careful", STEPS, TERMS)
    draft = walk({"blue": 100}, "green", row.steps, row.terms)
    change_id = desk.request(draft=draft)
    assert desk.state(change_id) == "in_review"
    assert Entry.objects.filter(subject=f"template:{number}").get().action == "template.made"


def test_template__ended__is_offered_no_more_and_its_name_is_free(desk):
    number = make(desk)
    with pytest.raises(Conflict, match="careful already"):
        make(desk)
    services.end_template(principal=principal(desk.operator), template_id=number)
    with pytest.raises(Conflict, match="ended by now"):
        services.end_template(principal=principal(desk.operator), template_id=number)
    again = make(desk)
    me = principal(desk.reviewer)
    assert [row.id for row in templates(me, desk.workspace.pk).rows] == [again]
    assert [row.id for row in templates(me, desk.workspace.pk, ended=True).rows] == [number]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"steps": ()}, "steps"),
        ({"steps": ((1, 0, False),) * 21}, "steps"),
        ({"steps": ((0, 0, False),)}, "steps"),
        ({"steps": ((101, 0, False),)}, "steps"),
        ({"steps": ((5, 0, False), (5, 0, False))}, "steps"),
        ({"steps": ((5, -1, False),)}, "steps"),
        ({"steps": ((5, 10**9, False),)}, "steps"),
        ({"terms": Terms(longest=60)}, "terms"),
        ({"terms": Terms(gates=(gate(Kind.CPU, limit=900),))}, "terms"),
        ({"terms": Terms(gates=(gate(Kind.CPU), gate(Kind.CPU)))}, "terms"),
    ],
)
def test_template__that_can_be_no_plan__is_refused_by_its_field(desk, wrong, field):
    with pytest.raises(Invalid) as refusal:
        make(desk, **wrong)
    assert field in refusal.value.fields
    assert not RolloutTemplate.objects.exists()


def test_template__for_a_stranger__does_not_exist(desk, outsider):
    number = make(desk)
    with pytest.raises(NotFound):
        make(desk, outsider, name="other")
    with pytest.raises(NotFound):
        services.end_template(principal=principal(outsider), template_id=number)
    with pytest.raises(NotFound):
        templates(principal(outsider), desk.workspace.pk)
    with pytest.raises(NotFound):
        template(principal(outsider), number)


def test_template__by_who_may_not_propose__is_refused(desk):
    number = make(desk)
    with pytest.raises(Refused):
        make(desk, desk.requester, name="other")
    with pytest.raises(Refused):
        services.end_template(principal=principal(desk.requester), template_id=number)


def test_templates__many__come_in_pages(desk):
    numbers = [make(desk, name=f"t{number}") for number in range(3)]
    me = principal(desk.reviewer)
    first = templates(me, desk.workspace.pk, limit=2)
    assert [row.id for row in first.rows] == numbers[:0:-1]
    second = templates(me, desk.workspace.pk, before=first.older, limit=2)
    assert ([row.id for row in second.rows], second.older) == (numbers[:1], None)
