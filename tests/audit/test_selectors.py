"""Reading the ledger: scope first, then filters, in pages that neither repeat nor miss."""

from __future__ import annotations

from datetime import timedelta

import pytest

from endpoints.audit.actors import ANONYMOUS, Actor
from endpoints.audit.selectors import Filters, Scope, entries, entry
from endpoints.core.errors import NotFound
from endpoints.core.request import current_request_id
from tests.audit.support import append

pytestmark = pytest.mark.django_db

ALL = Scope(everything=True)


def seqs(scope: Scope, filters: Filters = Filters()) -> list[int]:  # noqa: B008 - frozen
    return [row.seq for row in entries(scope, filters).rows]


def test_entries__newest_first_in_pages__none_twice_none_missed() -> None:
    append(7)
    seen: list[int] = []
    cursor = None
    while True:
        page = entries(ALL, cursor=cursor, limit=3)
        seen += [row.seq for row in page.rows]
        append(1)  # what arrives meanwhile does not shift older pages
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_entries__scope__shows_whole_workspaces_and_own_acts_elsewhere() -> None:
    append(1, workspace_id=1)
    append(1, workspace_id=2)
    append(1, workspace_id=2, actor=Actor("user:8", "session"))
    append(1, workspace_id=3, actor=Actor("user:8", "session"))
    append(1, workspace_id=None, actor=ANONYMOUS, action="session.refused", subject="user:8")
    append(1, workspace_id=None, action="user.created", subject="user:9")
    append(1, workspace_id=2, actor=Actor("system:executor", "system", on_behalf="user:8"))
    scope = Scope(workspaces=frozenset({1}), own_refs=frozenset({"user:8"}), own_in=frozenset({2}))
    assert seqs(scope) == [7, 5, 3, 1]
    assert seqs(ALL) == [7, 6, 5, 4, 3, 2, 1]
    assert seqs(Scope()) == []


def test_entry__outside_the_scope__is_not_found() -> None:
    append(1, workspace_id=2)
    assert entry(ALL, 1).seq == 1
    with pytest.raises(NotFound):
        entry(Scope(workspaces=frozenset({1})), 1)
    with pytest.raises(NotFound):
        entry(ALL, 2)


def test_entries__each_filter__narrows() -> None:
    token = current_request_id.set("r-9")
    append(1, endpoint="endpoint:5", azure_request_id="az-1")
    current_request_id.reset(token)
    append(1, action="grant.given", subject="user:9", actor=Actor("user:1", "token:2"), workspace_id=4)
    for narrow, expected in [
        (Filters(endpoint="endpoint:5"), [1]),
        (Filters(azure_request_id="az-1"), [1]),
        (Filters(request_id="r-9"), [1]),
        (Filters(subject="user:9"), [2]),
        (Filters(actor="user:1"), [2]),
        (Filters(workspace_id=4), [2]),
        (Filters(action="grant."), [2]),
        (Filters(action="grant"), []),
        (Filters(action="change.approved"), [1]),
        (Filters(action="change.", actor="user:1"), []),
    ]:
        assert seqs(ALL, narrow) == expected, narrow


def test_entries__time_range__includes_its_start_and_excludes_its_end() -> None:
    append(2)
    first, second = (entry(ALL, seq).at for seq in (1, 2))
    assert seqs(ALL, Filters(since=first, until=second)) == ([1] if first < second else [])
    assert seqs(ALL, Filters(since=second + timedelta(microseconds=1))) == []


def test_entries__personal_text__comes_with_its_entry() -> None:
    append(1, personal={"reason": "because"})
    append(1)
    assert [dict(row.personal) for row in entries(ALL).rows] == [{}, {"reason": "because"}]
