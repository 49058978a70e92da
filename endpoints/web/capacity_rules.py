"""By which rules a workspace's capacity is looked at: bounds, working hours, what marks a test, what is left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from endpoints.access.policies import Action, decide, require
from endpoints.access.rows import WorkspaceRow
from endpoints.capacity import ruleset
from endpoints.capacity.selectors.rules import RuleSetRow, rules_history, rules_of
from endpoints.capacity.services import set_rules
from endpoints.core.errors import Conflict, Invalid, NotFound
from endpoints.web.capacity_heat import DAYS
from endpoints.web.capacity_scope import Scope, scope_of, tabs
from endpoints.web.names import of_refs
from endpoints.web.pages import SIGNED_IN, PageRequest, page, render
from endpoints.web.settings_of import number_typed
from endpoints.web.wording import plural

WHOLE = ("idle_days", "day_begins", "day_ends", "scream_hours")
SHARES = ("known_share", "usage_target", "off_hours_idle", "batch_share", "percentile", "headroom")
LABELS = {
    "idle_days": "Days without a request before a delete is proposed",
    "known_share": "Share of the hours looked at that must be known",
    "usage_target": "Highest use of a smaller size at its busiest, as a share",
    "off_hours_idle": "Share of nights and weekends without a request before a schedule is proposed",
    "batch_share": "Share of hours with requests up to which batch scoring is proposed",
    "percentile": "Share of the busy hours that must be carried",
    "headroom": "Room above them, as a share",
    "zone": "Time zone",
    "day_begins": "The working day begins",
    "day_ends": "The working day ends",
    "weekend": "Days that nobody works on",
    "test_tags": "Tags that mark a test",
    "excluded_tags": "Tags by which a deployment is left out",
    "excluded_names": "Names that are left out",
    "scream_hours": "Hours without traffic before a deployment is deleted",
    "report_weekday": "Weekly report",
}
HINTS = {
    "test_tags": "A tag a line, its values after a colon: purpose: test, demo",
    "excluded_tags": "A tag a line; with = for one value of it: keep=yes",
    "excluded_names": "An endpoint, or endpoint/deployment, a line; * and ? stand for any letters: old-*",
    "scream_hours": "Empty: as the installation sets it",
    "zone": "Such as Europe/Berlin",
}
TYPED = (*WHOLE, *SHARES, "zone", "test_tags", "excluded_tags", "excluded_names", "report_weekday")


@page(SIGNED_IN, "GET", "POST")
def rules_page(request: PageRequest) -> HttpResponseBase:
    """The rules of one workspace, and where its form goes."""
    scope = scope_of(request)
    if request.method == "POST":
        return _set(request, scope)
    place = _place(scope, request.GET.get("ws", ""))
    return _page(request, scope, place)


def _set(request: PageRequest, scope: Scope) -> HttpResponseBase:
    place = _place(scope, request.POST.get("ws", request.GET.get("ws", "")))
    if place is None:
        raise NotFound("There is no such workspace, or you have no role on it.")
    require(request.principal, Action.CAPACITY_RULES, workspace_id=place.id, workspace=place.slug)
    typed = {name: request.POST.get(name, "")[:8000] for name in TYPED} | {
        "weekend": ",".join(request.POST.getlist("weekend")),
        "reason": request.POST.get("reason", "")[:2001],
    }
    try:
        set_rules(
            principal=request.principal,
            workspace_id=place.id,
            document=document_of(typed),
            reason=typed["reason"],
            seen=number_typed(request.POST.get("seen", "")) if request.POST.get("seen") else -1,
        )
    except (Conflict, Invalid) as error:
        errors = error.fields if isinstance(error, Invalid) else {"": [error.message]}
        return _page(
            request, scope, place, typed=typed, errors=errors, status=422 if isinstance(error, Invalid) else 409
        )  # fmt: skip
    messages.success(
        request, f"The rules of {place.slug} count from now on; its days and findings are made anew by them."
    )
    return HttpResponseRedirect(f"{reverse('web:capacity_rules')}?{urlencode({'ws': place.slug})}")


def _place(scope: Scope, slug: str) -> WorkspaceRow | None:
    """The workspace that is named; the only one, where there is one alone."""
    wanted = slug.strip()
    if not wanted:
        return scope.seen[0] if len(scope.seen) == 1 else None
    found = next((one for one in scope.seen if one.slug == wanted), None)
    if found is None:
        raise NotFound(f"There is no workspace {wanted}, or you have no role on it.")
    return found


def document_of(typed: Mapping[str, str]) -> dict[str, Any]:
    """The form as the room takes rules. Text that is no number stays text: the room says what is wrong with it."""
    document: dict[str, Any] = {name: _whole(typed[name]) for name in WHOLE if name != "scream_hours"}
    document |= {name: _decimal(typed[name]) for name in SHARES}
    document["scream_hours"] = _whole(typed["scream_hours"]) if typed["scream_hours"].strip() else None
    document["report_weekday"] = _whole(typed["report_weekday"]) if typed["report_weekday"].strip() else None
    document["zone"] = typed["zone"].strip()
    document["weekend"] = [_whole(day) for day in typed["weekend"].split(",") if day.strip()]
    document["test_tags"] = {
        name.strip(): [value.strip() for value in values.split(",") if value.strip()]
        for name, _, values in (line.partition(":") for line in _lines(typed["test_tags"]))
    }
    document["excluded_tags"] = [
        [name.strip(), value.strip()]
        for name, _, value in (line.partition("=") for line in _lines(typed["excluded_tags"]))
    ]
    document["excluded_names"] = _lines(typed["excluded_names"])
    return document


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _whole(text: str) -> int | str:
    found = text.strip()
    return int(found) if re.fullmatch(r"-?[0-9]{1,9}", found) else found


def _decimal(text: str) -> float | str:
    found = text.strip().replace(",", ".")
    return float(found) if re.fullmatch(r"-?[0-9]{1,6}(\.[0-9]{1,6})?", found) else found


def typed_of(rules: ruleset.Rules) -> dict[str, str]:
    """What counts now, as the form holds it."""
    document = ruleset.as_json(rules)
    typed = {
        name: "" if document[name] is None else f"{document[name]}" for name in (*WHOLE, "report_weekday")
    }
    typed |= {name: f"{document[name]:g}" for name in SHARES}
    return typed | {
        "zone": document["zone"],
        "weekend": ",".join(map(str, document["weekend"])),
        "test_tags": "\n".join(f"{name}: {', '.join(values)}" for name, values in document["test_tags"].items()),
        "excluded_tags": "\n".join(f"{name}={value}" if value else name for name, value in rules.excluded_tags),
        "excluded_names": "\n".join(rules.excluded_names),
        "reason": "",
    }  # fmt: skip


def differences(now: ruleset.Rules, before: ruleset.Rules) -> list[str]:
    """What one set says that the one before it did not."""
    new, old = typed_of(now), typed_of(before)
    return [
        f"{LABELS[name]}: {_told(name, old[name])} before, {_told(name, new[name])} since"
        for name in LABELS
        if new[name] != old[name]
    ]


def _told(name: str, text: str) -> str:
    if name in ("weekend", "report_weekday"):
        days = [DAYS[int(day)] for day in text.split(",") if day]
        return ", ".join(days) or "none"
    return ", ".join(_lines(text)) or ("as the installation sets it" if name == "scream_hours" else "none")


def _page(
    request: PageRequest,
    scope: Scope,
    place: WorkspaceRow | None,
    *,
    typed: Mapping[str, str] | None = None,
    errors: dict[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    context: dict[str, Any] = {
        "tab_items": tabs("capacity_rules", {"ws": place.slug} if place else {}),
        "scope": scope,
        "place": place,
        "errors": errors or {},
        "labels": LABELS,
        "hints": HINTS,
        "whole": WHOLE,
        "shares": SHARES,
        "weekdays": list(enumerate(DAYS)),
    }
    if place is not None:
        now, history = rules_of(place.id), rules_history(place.id)
        context |= {
            "now": now,
            "typed": typed or typed_of(now.rules),
            "may": decide(
                request.principal, Action.CAPACITY_RULES, workspace_id=place.id, workspace=place.slug
            ),
            "history": _history(history),
            "names": of_refs(row.made_by for row in history),
            "changed": plural(len(differences(now.rules, ruleset.USUAL)), "rule"),
            "is_usual": not differences(now.rules, ruleset.USUAL),
        }
    return render(request, "capacity/rules.html", context, section="capacity", status=status)


def _history(rows: tuple[RuleSetRow, ...]) -> list[tuple[RuleSetRow, list[str]]]:
    """Each set with what it changed."""
    before = [*(row.rules for row in rows), ruleset.USUAL][1:]
    return [(row, differences(row.rules, old)) for row, old in zip(rows, before, strict=True)]
