"""What a change left behind: its record, and the files with which `az ml` makes the same again."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.http import content_disposition_header

from endpoints.access import selectors as access
from endpoints.access.policies import Action
from endpoints.changes.release import File
from endpoints.changes.selectors import Release, change_progress, release_of
from endpoints.changes.selectors.kept import kept_files
from endpoints.core.errors import NotFound
from endpoints.web import change_view as view
from endpoints.web.asof import exact
from endpoints.web.change_then import GateLine
from endpoints.web.pages import PageRequest, on_object, page, render
from endpoints.web.states import OUTCOMES, sign_of


@page(on_object(Action.VIEW))
def release(request: PageRequest, *, number: int) -> HttpResponseBase:
    """The record of a change that reached Azure and ended."""
    found = release_of(request.principal, number)
    change = found.change
    workspace = access.workspace(change.workspace_id)
    names = access.users_by_ids({change.author_id, *(one.reviewer_id for one in change.decided)})
    context: dict[str, Any] = {
        "release": found,
        "change": change,
        "workspace": workspace,
        "heading": f"Release record of {_heading(found)}",
        "sign": sign_of(change.state, kind=change.kind),
        "author": names.get(change.author_id, "unknown") if change.author_id else "the portal itself",
        "approvals": [(names.get(one.reviewer_id, "unknown"), one) for one in change.decided if one.current],
        "measured": [GateLine(one, OUTCOMES[one.outcome]) for one in change.measured],
        "files": [(one, _address(number, one.name)) for one in found.files],
        "kept": [(one, _kept_address(number, one.name)) for one in kept_files(number)],
        "then_href": f"{reverse('web:change', kwargs={'number': number})}?at={exact(found.at)}",
        "compare_href": reverse("web:compare", kwargs={"ws": workspace.slug, "name": change.endpoint}),
    }
    return render(request, "changes/release.html", context, section="changes")


def _heading(found: Release) -> str:
    change = found.change
    return view.heading_of(change.number, change.kind, change.endpoint, change.base.split, change.steps)


@page(on_object(Action.VIEW))
def release_file(request: PageRequest, *, number: int, file: str) -> HttpResponseBase:
    """One of its YAML files, to be saved."""
    found = release_of(request.principal, number)
    one = found.file(f"{file}.yml")
    if one is None:
        raise NotFound(_no_file(found, file))
    return _saved(found.number, one)


def _no_file(found: Release, file: str) -> str:
    why = next((text for text in found.unsure if text.startswith(f"{file}.yml: ")), "")
    return f"{found.number} has no file {file}.yml. {why}".strip()


@page(on_object(Action.VIEW))
def kept_file(request: PageRequest, *, number: int, file: str) -> HttpResponseBase:
    """One of the YAML files that were kept of what the change deletes, to be saved; also while it is under way."""
    row = change_progress(request.principal, number).row
    one = next((each for each in kept_files(number) if each.name == f"{file}.yml"), None)
    if one is None:
        raise NotFound(f"{row.number} kept no file {file}.yml.")
    return _saved(row.number, one)


def _saved(number: str, one: File) -> HttpResponse:
    response = HttpResponse(one.text, content_type="application/yaml; charset=utf-8")
    name = f"{number}-{one.name}"
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return response


def _kept_address(number: int, name: str) -> str:
    return reverse("web:kept_file", kwargs={"number": number, "file": name.removesuffix(".yml")})


def _address(number: int, name: str) -> str:
    return reverse("web:release_file", kwargs={"number": number, "file": name.removesuffix(".yml")})
