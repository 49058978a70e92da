"""Words beside a change, whatever its state."""

from __future__ import annotations

import pytest

from endpoints.changes import services
from endpoints.changes.models import Note
from endpoints.changes.selectors import change_detail
from endpoints.core.errors import Invalid, NotFound, Refused
from tests.changes.desk import ledger
from tests.support.people import principal


def say(change_id, user, text="why not on Monday?"):
    services.comment_change(principal=principal(user), change_id=change_id, text=text)


def test_comment__on_an_open_change__is_shown_and_moves_nothing(desk):
    change_id = desk.request()
    version = desk.change(change_id).version
    say(change_id, desk.reviewer)
    assert desk.change(change_id).version == version
    said = change_detail(principal(desk.requester), change_id).said[-1]
    assert (said.kind, said.text, said.author_id) == ("comment", "why not on Monday?", desk.reviewer.pk)
    assert ledger(change_id)[-1] == "change.commented"


@pytest.mark.parametrize("state", ["rejected", "withdrawn", "succeeded", "failed"])
def test_comment__on_an_ended_change__is_stored(desk, supervisor, state):
    change_id = desk.request()
    desk.finish(change_id, state)
    say(change_id, supervisor)
    assert Note.objects.filter(kind="comment").count() == 1


@pytest.mark.parametrize("text", ["", "  \n", "x" * 2001])
def test_comment__empty_or_endless__is_refused(desk, text):
    change_id = desk.request()
    with pytest.raises(Invalid):
        say(change_id, desk.reviewer, text)
    assert not Note.objects.filter(kind="comment").exists()


def test_comment__by_who_may_not_or_may_not_even_see_it__is_refused(desk, finops, outsider):
    change_id = desk.request()
    with pytest.raises(Refused):
        say(change_id, finops)
    with pytest.raises(NotFound):
        say(change_id, outsider)
    with pytest.raises(NotFound):
        say(999_999, desk.reviewer)
