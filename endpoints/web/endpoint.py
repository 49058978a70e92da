"""One endpoint: where its traffic goes, what stands behind it, what changed, and what can be done."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponseBase
from django.urls import reverse

from endpoints.access.policies import Action, Decision, Principal, decide
from endpoints.access.rows import WorkspaceRow
from endpoints.changes.lifecycle import Kind, State
from endpoints.changes.selectors import ChangeRow, Tab, change_rows
from endpoints.core import traffic
from endpoints.holds.selectors import Hold, in_force
from endpoints.holds.selectors import Kind as HoldKind
from endpoints.inventory import selectors as inventory
from endpoints.inventory.selectors import EndpointPage, HistoryItem
from endpoints.metrics import selectors as metrics
from endpoints.web import display
from endpoints.web.asof import asked
from endpoints.web.bars import order_of
from endpoints.web.budget import budget_view
from endpoints.web.change_view import Event
from endpoints.web.changes import Line, lines
from endpoints.web.endpoint_then import endpoint_then
from endpoints.web.fresh import chip, trouble_of
from endpoints.web.holding import holds_on, stop_href
from endpoints.web.latest import figures_of
from endpoints.web.metrics import chip_of_metrics, section
from endpoints.web.names import of_refs
from endpoints.web.observed_view import seen
from endpoints.web.pages import PageRequest, is_partial, on_workspace, page, partial, render
from endpoints.web.readiness import ready
from endpoints.web.rollback import by_hand, form_context
from endpoints.web.states import azure_sign
from endpoints.web.wording import age, ago, clock

HISTORY = 15
OBSERVED = timedelta(hours=1)
"""The stretch whose requests are held against the split."""


@page(on_workspace(Action.VIEW))
def endpoint(request: PageRequest, *, workspace: WorkspaceRow, name: str) -> HttpResponseBase:
    """The page; its middle alone when htmx asks."""
    if when := asked(request):
        return endpoint_then(request, when, workspace, name)
    shown = inventory.endpoint_page(workspace.id, name)
    if is_partial(request):
        return _part(request, shown)
    context = panel_context(request, shown) | more_context(request, shown)
    context |= _frame(request.principal, shown, workspace)
    context |= metrics_context(request, shown)
    return render(request, "endpoint/page.html", context, section="fleet")


def _part(request: PageRequest, shown: EndpointPage) -> HttpResponseBase:
    """One of the page's two live parts; charts bring themselves up to date."""
    if request.GET.get("part") == "more":
        return partial(request, "partials/endpoint_more.html", more_context(request, shown))
    return partial(request, "partials/endpoint.html", panel_context(request, shown))


def metrics_context(request: PageRequest, shown: EndpointPage) -> dict[str, Any]:
    """The charts, and what they are held against."""
    home = reverse("web:endpoint", kwargs={"ws": shown.workspace, "name": shown.name})
    found = section(request, shown, home=home)
    return found | {"marked_events": timeline(found["marked"])}


def panel_context(request: PageRequest, shown: EndpointPage) -> dict[str, Any]:
    """What may change while one watches."""
    me = request.principal
    now = display.current().moment()
    latest = metrics.latest(one.id for one in shown.deployments)
    brief = metrics.briefs([shown.id])[shown.id]
    closed = change_rows(me, tab=Tab.CLOSED, endpoint_id=shown.id, limit=10).rows
    still_open = change_rows(me, tab=Tab.OPEN, endpoint_id=shown.id, limit=5).rows
    at_work = next((row for row in still_open if row.active), None)
    budget = metrics.budget_at(shown.id)
    return {
        "shown": shown,
        "fresh": chip(shown.read_at, shown.freshness.cadence_seconds),
        "trouble": trouble_of([(shown.workspace, shown.freshness)]),
        "here": request.get_full_path(),
        "observed": None
        if shown.deleted_at
        else seen(metrics.observed_split(shown.id, since=now - OBSERVED, until=now)),
        "holds": [] if shown.deleted_at else holds_on(shown.id, now),
        "telemetry": brief,
        "metrics_chip": chip_of_metrics(brief),
        "budget": budget_view(me, shown, budget),
        "order": order_of(shown.traffic, names=[one.name for one in shown.deployments]),
        "models": {one.name.lower(): one.model for one in shown.deployments},
        "deployments": [
            (one, azure_sign(one.provisioning_state), figures_of(latest.get(one.id), budget))
            for one in shown.deployments
        ],
        "at_work": _line_of(at_work),
        "ordered": "Ordered" if at_work and at_work.kind is Kind.ROLLBACK else "Approved",
        "approved": _at_work(at_work) if at_work else _approved(closed),
        "azure_note": f"read {ago(shown.read_at)}" if shown.read_at else "not read yet",
        "ready": None if shown.deleted_at else ready(shown.id),
        "drills_href": reverse("web:drills", kwargs={"ws": shown.workspace, "name": shown.name}),
        "kept": [] if shown.deleted_at else _kept(shown.id, now),
        "open_changes": lines(still_open),
        "closed_changes": lines(closed[:5]),
    }


def _kept(endpoint_id: int, now: datetime) -> list[Hold]:
    """Deployments that somebody or a finished rollout keeps from being scaled down or deleted."""
    return [hold for hold in in_force(endpoint_id, now) if hold.kind is HoldKind.PROTECTION]


def more_context(request: PageRequest, shown: EndpointPage) -> dict[str, Any]:
    """What stands below the charts: the history and the facts."""
    history = inventory.history(shown.id, cursor=request.GET.get("history", "")[:200], limit=HISTORY)
    home = reverse("web:endpoint", kwargs={"ws": shown.workspace, "name": shown.name})
    return {
        "shown": shown,
        "more_here": _with_part(request),
        "events": timeline(history.items),
        "older": f"{home}?history={history.next_cursor}#history" if history.next_cursor else "",
        "newest": f"{home}#history" if request.GET.get("history") else "",
    }


def _with_part(request: PageRequest) -> str:
    query = request.GET.copy()
    query["part"] = "more"
    return f"{request.path}?{query.urlencode()}"


def _line_of(row: ChangeRow | None) -> Line | None:
    return lines([row])[0] if row else None


def _at_work(row: ChangeRow) -> tuple[str, str]:
    """The split that the change at work orders; Azure need not show it yet."""
    since = f", since {age(row.started_at)}" if row.started_at else ""
    return traffic.describe(row.after), f"{row.number}, at work{since}"


def _approved(closed: list[ChangeRow]) -> tuple[str, str]:
    """The split that the last completed change ordered, and where that comes from."""
    done = next((row for row in closed if row.state is State.SUCCEEDED), None)
    if done is None:
        return "none yet", "no change was completed through this portal"
    ended = f"done {age(done.ended_at)} ago" if done.ended_at else "done"
    return traffic.describe(done.after), f"{done.number}, {ended}"


def _frame(me: Principal, shown: EndpointPage, workspace: WorkspaceRow) -> dict[str, Any]:
    """What is around the panel: what can be done here, and by hand."""
    place = {"ws": workspace.slug, "name": shown.name}
    gone = shown.deleted_at is not None
    names = [one.name for one in shown.deployments]
    return {
        "workspace": workspace,
        "period": shown.freshness.cadence_seconds or 30,
        "may_ask": _may_ask(me, workspace) if not gone else Decision(False, "It was deleted in Azure."),
        "new_href": reverse("web:change_new", kwargs=place),
        "capacity_href": reverse("web:capacity_new", kwargs=place)
        if not gone and _may_ask_for_capacity(me, workspace)
        else "",
        "rollback_href": reverse("web:rollback", kwargs=place),
        "coverage_href": reverse("web:coverage", kwargs=place)
        if not gone and _may_see_records(me, workspace)
        else "",
        "rollback": None if gone else form_context(me, shown.id, workspace),
        "stop_href": "" if gone else stop_href(me, workspace, shown.name),
        "commands": by_hand(workspace, shown.name, traffic.normalise(shown.traffic), names),
    }


def _may_ask(me: Principal, workspace: WorkspaceRow) -> Decision:
    return decide(me, Action.CREATE_TRAFFIC, workspace_id=workspace.id, workspace=workspace.slug)


def _may_ask_for_capacity(me: Principal, workspace: WorkspaceRow) -> bool:
    return decide(
        me, Action.CREATE_CAPACITY, workspace_id=workspace.id, own=True, workspace=workspace.slug
    ).allowed  # fmt: skip


def _may_see_records(me: Principal, workspace: WorkspaceRow) -> bool:
    return decide(me, Action.PREDICTIONS_VIEW, workspace_id=workspace.id, workspace=workspace.slug).allowed


def timeline(items: tuple[HistoryItem, ...]) -> list[Event]:
    """Every state that began, with what moved and who is behind it."""
    names = of_refs(item.cause for item in items if ":" in item.cause)
    return [_event(item, names) for item in items]


def _event(item: HistoryItem, names: dict[str, str]) -> Event:
    subject = f"Deployment {item.deployment}" if item.deployment else "Endpoint"
    if item.is_deletion:
        text = _attributed(item).removeprefix(". ")
        return Event("off", f"{subject} deleted in Azure", item.latest, _who(item, names), text)
    if item.is_first:
        return Event("info", f"{subject} first read", item.latest)
    moved = "; ".join(
        f"{one.label} {one.before or 'none'} → {one.after or 'none'}" for one in item.changes[:3]
    )
    more = f" and {len(item.changes) - 3} more fields" if len(item.changes) > 3 else ""
    drifted = item.cause == "drift"
    title = "Drift" if drifted else f"{subject} changed"
    return Event(
        icon="drift" if drifted else "quiet",
        title=f"{title}, {item.deployment}" if drifted and item.deployment else title,
        at=item.latest,
        who=_who(item, names),
        text=moved + more + _attributed(item),
        tone="warn" if drifted else "",
        href=_href(item),
    )


def _who(item: HistoryItem, names: dict[str, str]) -> str:
    if item.cause == "drift":
        by = f"by {item.modified_by}" if item.modified_by else "by somebody"
        return f"{by}, not ordered here, {_between(item)}"
    return names.get(item.cause, item.cause)


def _attributed(item: HistoryItem) -> str:
    """Who it was, as far as the activity log says."""
    return f". {item.attribution.reason}" if item.attribution else ""


def _between(item: HistoryItem) -> str:
    return f"after {clock(item.earliest)}" if item.earliest else "at an unknown moment before"


def _href(item: HistoryItem) -> str:
    kind, _, number = item.cause.partition(":")
    return (
        reverse("web:change", kwargs={"number": int(number)}) if kind == "change" and number.isdigit() else ""
    )
