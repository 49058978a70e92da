"""What gates would have done with past changes of a workspace: chosen in the address, some changes at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponseBase, QueryDict
from django.urls import reverse

from endpoints.access import selectors as access
from endpoints.access.policies import Action, decide
from endpoints.access.rows import WorkspaceRow
from endpoints.changes.gatespec import GateSpec, Kind
from endpoints.changes.selectors import template, templates
from endpoints.changes.selectors.backtest import WATCH, Backtested, BacktestPage, backtest_in
from endpoints.changes.services.rollback import REASONS
from endpoints.changes.verdict import Outcome
from endpoints.core.errors import NotFound
from endpoints.inventory.selectors import endpoint_names
from endpoints.web.gate_form import GateTyped, filled, rows, specs_of, typed, words
from endpoints.web.pages import SIGNED_IN, PageRequest, page, render
from endpoints.web.settings_of import number_typed
from endpoints.web.states import Sign, sign_of
from endpoints.web.wording import plural

AT_ONCE = 10
"""Changes in one answer: each is judged minute by minute, which takes a while."""
_WOULD = {
    Outcome.PASS: Sign("quiet", "Would have let it pass"),
    Outcome.WARN: Sign("warn", "Warning"),
    Outcome.INCONCLUSIVE: Sign("unknown", "Could not have told"),
    Outcome.ERROR: Sign("unknown", "Could not have measured"),
    Outcome.FAIL: Sign("bad", "Would have failed it"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One past change: what happened, and what the gates would have done."""

    change: Backtested
    href: str
    endpoint: str
    really: Sign
    why_back: str
    would: Sign
    said: str


@dataclass(frozen=True, slots=True)
class Form:
    """What `gates_table` draws, as a plan has it."""

    gates: tuple[GateTyped, ...]


@page(SIGNED_IN)
def backtest(request: PageRequest) -> HttpResponseBase:
    """The form, and under it the changes that were tested, where the address asks for that."""
    me, query = request.principal, request.GET
    found = access.workspaces(me)
    if not found:
        raise NotFound("You have no role on any workspace, so there is no change to test with.")
    workspace = access.workspace_by_slug(me, query["ws"][:64]) if query.get("ws") else found[0]
    table = _table(request, workspace)
    specs, errors = specs_of(table)
    runs = query.get("run") == "1"
    if runs and not specs and not errors:
        errors = {"use-0": ["Choose a gate at least. Nothing was tested."]}
    tested = _tested(workspace, specs, query) if runs and not errors else None
    context = {
        "workspace": workspace,
        "workspaces": [(one.slug, one.slug) for one in found],
        "templates": _templates(request, workspace),
        "template": query.get("template", "")[:20],
        "plan": Form(table),
        "errors": errors if runs else {},
        "gates": [words(spec) for spec in specs],
        "lines": _lines(tested) if tested else [],
        "tested": tested is not None,
        "summary": _summary(tested) if tested else "",
        "pages": _pages(query, tested),
        "at_once": AT_ONCE,
    }
    status = 422 if runs and errors else 200
    return render(request, "backtest.html", context, section="rollouts", status=status)


def _table(request: PageRequest, workspace: WorkspaceRow) -> tuple[GateTyped, ...]:
    """The gates that were typed; those of the template that the address names; the usual ones."""
    given = {key: str(value)[:2000] for key, value in request.GET.items()}
    if found := typed(given):
        return found
    number = number_typed(given.get("template", ""))
    if not number:
        return rows(used=(Kind.ERRORS, Kind.P95_VS_STABLE))
    chosen = template(request.principal, number)
    if chosen.workspace_id != workspace.id:
        raise NotFound("There is no such template in this workspace.")
    return filled(rows(), chosen.terms.gates)


def _templates(request: PageRequest, workspace: WorkspaceRow) -> list[tuple[str, str]]:
    if not decide(request.principal, Action.RULES_VIEW, workspace_id=workspace.id):
        return []
    found = templates(request.principal, workspace.id, limit=200)
    return [(str(one.id), one.name) for one in found.rows if one.terms.gates]


def _tested(workspace: WorkspaceRow, specs: Sequence[GateSpec], query: QueryDict) -> BacktestPage:
    before = number_typed(query.get("before", "")) or None
    return backtest_in([workspace.id], specs, before=before, limit=AT_ONCE, watch=WATCH)


def _lines(tested: BacktestPage) -> list[Line]:
    names = endpoint_names({one.endpoint_id for one in tested.rows})
    return [_line(one, names.get(one.endpoint_id, "an endpoint that is gone")) for one in tested.rows]


def _line(one: Backtested, endpoint: str) -> Line:
    would, said = _WOULD[one.outcome], one.reason
    if one.stopped_at is not None:
        step, minutes = one.stopped_at
        would = Sign("bad", f"Would have stopped step {step + 1} after {plural(minutes, 'minute')}")
        said = f"{one.by}: {one.reason}"
    return Line(
        change=one,
        href=reverse("web:live", kwargs={"number": one.change_id}),
        endpoint=endpoint,
        really=sign_of(one.state),
        why_back=_why(one.rolled_back),
        would=would,
        said=said,
    )


def _why(cause: str) -> str:
    if not cause:
        return ""
    return "rolled back by itself" if cause == "gate" else f"rolled back: {REASONS.get(cause, cause).lower()}"


def _summary(tested: BacktestPage) -> str:
    """What is on this page, in one sentence; a change that could not be judged counts as neither."""
    found = tested.rows
    stopped = [one for one in found if one.stopped_at is not None]
    rest = [one for one in found if one.stopped_at is None]
    unknown = sum(1 for one in rest if one.outcome in (Outcome.INCONCLUSIVE, Outcome.ERROR))
    missed = sum(1 for one in rest if one.rolled_back and one.outcome is Outcome.PASS)
    parts = [f"Of {plural(len(found), 'change')} these gates would have stopped {len(stopped) or 'none'}"]
    if stopped:
        back = sum(1 for one in stopped if one.rolled_back)
        parts.append(f"{back} of these {'was' if back == 1 else 'were'} rolled back in fact")
    if missed:
        parts.append(f"{missed} that {'was' if missed == 1 else 'were'} rolled back would have passed")
    if unknown:
        parts.append(f"{unknown} could not be judged")
    return f"{'; '.join(parts)}."


def _pages(query: QueryDict, tested: BacktestPage | None) -> dict[str, str]:
    """The same gates for older changes; the address carries them."""
    kept = [(key, value) for key, value in query.items() if key != "before"]
    here = reverse("web:backtest")
    more = tested.next_before if tested else None
    return {
        "first": f"{here}?{urlencode(kept)}" if query.get("before") else "",
        "next": f"{here}?{urlencode([*kept, ('before', more)])}" if more else "",
    }
