"""The command line: the first administrator, and the matrix page."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from endpoints.access.management.commands import create_user as create_user_command
from endpoints.access.matrix_page import page
from endpoints.access.roles import Role
from endpoints.access.selectors import principal_now, user_id_by_name
from endpoints.audit.models import Entry
from tests.access.support import PASSWORD, new_workspace

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/access-matrix.md"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, stdin: str = "") -> str:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_commands__fresh_installation__make_the_first_administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    said = run(monkeypatch, "create_user", "Ana", "Ana Costa", "--password-stdin", stdin=PASSWORD + "\n")
    assert said.endswith(", ana.\n")
    run(monkeypatch, "grant_role", "ana", "admin", "--reason", "first")
    new_workspace()
    said = run(monkeypatch, "grant_role", "ana", "reviewer", "--workspace", "mlw-1")
    assert said.startswith("Gave ana the role reviewer on mlw-1")
    assert principal_now(user_id_by_name("ana")).installation == {Role.ADMIN}
    actions = list(Entry.objects.order_by("seq").values_list("action", "auth"))
    assert [a for a in actions if a[0] != "workspace.connected"] == [
        ("user.created", "command"),
        ("grant.given", "command"),
        ("grant.given", "command"),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("create_user", "a b", "A", "--service"), "user name has"),
        (("create_user", "ana", "Ana", "--password-stdin"), "too short"),
        (("grant_role", "ghost", "admin"), "no account ghost"),
        (("grant_role", "bot", "admin", "--workspace", "nowhere"), "no workspace nowhere"),
        (("grant_role", "bot", "reviewer"), "not given on the whole installation"),
    ],
)
def test_commands__bad_input__say_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], says: str
) -> None:
    run(monkeypatch, "create_user", "bot", "Bot", "--service")
    with pytest.raises(CommandError, match=says):
        run(monkeypatch, *arguments, stdin="short\n")
    assert Entry.objects.count() == 1


@pytest.mark.django_db
def test_create_user__typed_twice_differently__creates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter([PASSWORD, "something else"])
    monkeypatch.setattr(create_user_command.getpass, "getpass", lambda prompt: next(typed))
    with pytest.raises(CommandError, match="differ; no account was created"):
        run(monkeypatch, "create_user", "ana", "Ana")
    assert not Entry.objects.exists()


def test_access_matrix__page_in_the_docs__is_what_the_policy_says(tmp_path: Path) -> None:
    assert PAGE.read_text(encoding="utf-8") == page()
    call_command("access_matrix", output=tmp_path / "page.md")
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == page()
