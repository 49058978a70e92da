"""How challenge cases of a workspace are dealt with: what counts now and counted before, and the form that sets it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access.policies import Action, decide
from endpoints.access.rows import WorkspaceRow
from endpoints.challenges.clocks import KNOWN_DEADLINES, MOST_CLOCKS, Clock, clock_of
from endpoints.challenges.selectors.policies import PolicyRow, policy_history, policy_of
from endpoints.challenges.services.policies import set_policy
from endpoints.core.errors import Conflict, Invalid
from endpoints.web.challenge_view import length
from endpoints.web.names import of_refs
from endpoints.web.numbers_typed import number_of, plain
from endpoints.web.pages import SIGNED_IN, PageRequest, on_object, page, render, to
from endpoints.web.settings_of import number_typed, workspace_of, workspaces_of

_UNITS = ("hours", "days")
_ROW = ("name", "length", "unit", "source", "law")


@page(SIGNED_IN)
def policies_index(request: PageRequest) -> HttpResponseBase:
    """The workspaces that have a policy; straight on where there is one alone."""
    found = workspaces_of(request.principal)
    if len(found) == 1:
        return to("case_policy", ws=found[0].slug)
    context = {"heading": "Challenge policy", "page": "case_policy", "workspaces": found}
    return render(request, "settings/choose_workspace.html", context, section="policies_index")


@page(on_object(Action.CASE_POLICY), "GET", "POST")
def case_policy(request: PageRequest, *, ws: str) -> HttpResponseBase:
    """The policy of a workspace, and where its form goes."""
    workspace = workspace_of(request.principal, ws)
    if request.method == "GET":
        return _page(request, workspace)
    typed = _typed(request)
    try:
        if request.POST.get("do") != "set":
            raise Invalid("The form did not say what to do. Nothing was changed.")
        set_policy(
            principal=request.principal,
            workspace_id=workspace.id,
            clocks=_clocks(typed["rows"]),
            two_roles=request.POST.get("two_roles") == "on",
            band=_band(typed["band"]),
        )
    except Invalid as error:
        return _page(request, workspace, typed=typed, errors=error.fields, status=422)
    except Conflict as error:
        return _page(request, workspace, typed=typed, errors={"": [error.message]}, status=409)
    messages.success(request, "The policy counts for cases that are raised or opened again from now on.")
    return to("case_policy", ws=ws)


def _typed(request: PageRequest) -> dict[str, Any]:
    rows = [
        {name: request.POST.get(f"{name}-{number}", "").strip()[:200] for name in _ROW}
        for number in range(1, MOST_CLOCKS + 1)
    ]
    return {
        "rows": rows,
        "two_roles": request.POST.get("two_roles") == "on",
        "band": request.POST.get("band", "").strip()[:40],
    }


def _clocks(rows: list[dict[str, str]]) -> list[Clock]:
    """The rows that say anything; Invalid names each that can't be a clock."""
    found, wrong = [], []
    for number, row in enumerate(rows, 1):
        if not any(row[name] for name in ("name", "length", "source")):
            continue
        amount = number_of(row["length"])
        if amount is None or row["unit"] not in _UNITS:
            wrong.append(f"Clock {number}: give a number of hours or days.")
            continue
        given = {row["unit"]: amount}
        try:
            found.append(clock_of(name=row["name"], source=row["source"], target=row["law"] != "on", **given))
        except ValueError as error:
            wrong.append(f"Clock {number}: {error}.")
    if wrong:
        raise Invalid({"clocks": [*wrong, "Nothing was changed."]})
    return found


def _band(text: str) -> float | None:
    if not text:
        return None
    value = number_of(text)
    if value is None:
        raise Invalid({"band": ["Give a confidence between 0 and 1, such as 0.7. Nothing was changed."]})
    return value


def _page(
    request: PageRequest,
    workspace: WorkspaceRow,
    *,
    typed: dict[str, Any] | None = None,
    errors: dict[str, list[str]] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    me, before = request.principal, number_typed(request.GET.get("before", "")) or None
    now_in_force = policy_of(workspace.id)
    found = policy_history(me, workspace.id, before=before)
    here = reverse("web:case_policy", kwargs={"ws": workspace.slug})
    context: dict[str, Any] = {
        "workspace": workspace,
        "now": now_in_force,
        "clocks": [_words(one) for one in now_in_force.clocks],
        "rows": [(row, [_words(one) for one in row.clocks]) for row in found.rows],
        "names": of_refs(row.set_by for row in found.rows),
        "pages": {
            "first": here if before else "",
            "next": f"{here}?before={found.older}" if found.older else "",
        },
        "typed": typed or _as_typed(now_in_force),
        "known": [_words(one) for one in KNOWN_DEADLINES],
        "may": decide(me, Action.CASE_POLICY, workspace_id=workspace.id, workspace=workspace.slug),
        "errors": errors or {},
        "here": here,
    }
    return render(request, "challenges/policy.html", context, section="policies_index", status=status)


def _words(clock: Clock) -> str:
    """`Same-day answer: 8 h (house rule, our own aim)`."""
    kind = "our own aim" if clock.target else "deadline of law"
    return f"{clock.name}: {length(clock.length)} ({clock.source}, {kind})"


def _as_typed(row: PolicyRow) -> dict[str, Any]:
    """What counts now, as the form holds it."""
    rows = [_clock_typed(one) for one in row.clocks]
    rows += [dict.fromkeys(_ROW, "") for _ in range(MOST_CLOCKS - len(rows))]
    return {"rows": rows, "two_roles": row.two_roles, "band": "" if row.band is None else plain(row.band)}


def _clock_typed(clock: Clock) -> dict[str, str]:
    hours = clock.length.total_seconds() / 3600
    in_days = hours >= 24 and hours % 24 == 0
    return {
        "name": clock.name,
        "length": plain(hours / 24 if in_days else hours),
        "unit": "days" if in_days else "hours",
        "source": clock.source,
        "law": "" if clock.target else "on",
    }
