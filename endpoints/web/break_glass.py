"""Break the glass: start what nobody approved, in an emergency, with a reason and the password once more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponseBase
from django.views.decorators.debug import sensitive_post_parameters

from endpoints.access import selectors as access
from endpoints.access.policies import Action
from endpoints.access.services import prove_password
from endpoints.changes.lifecycle import BREAK_GLASS, Kind, State
from endpoints.changes.selectors import ChangeDetail, change_detail
from endpoints.changes.services.break_glass import HARD, break_glass
from endpoints.core.errors import Conflict, Invalid, Refused
from endpoints.web import change_view as view
from endpoints.web.pages import PageRequest, on_object, page, render, to
from endpoints.web.states import OUTCOMES

_BREAKABLE = BREAK_GLASS | {State.APPROVED, State.SCHEDULED}
_OVER = "This can't be started in an emergency: it is no traffic change that waits, or was one before."


@sensitive_post_parameters("password")
@page(on_object(Action.VIEW), "GET", "POST")
def glass(request: PageRequest, *, number: int) -> HttpResponseBase:
    """What is skipped and what follows; and the form that does it."""
    if request.method == "GET":
        return _page(request, number)
    try:
        _break(request, number)
    except Invalid as error:
        return _page(request, number, errors=error.fields, status=422)
    except Conflict as error:
        return _page(request, number, errors={"": [error.message]}, status=409)
    messages.warning(request, "Started without approval. Somebody else has to look back at it.")
    return to("live", number=number)


def _break(request: PageRequest, number: int) -> None:
    """The right first, then the password: whoever may not do this learns nothing of a password."""
    detail = change_detail(request.principal, number)
    decision = detail.may[Action.BREAK_GLASS]
    if not decision:
        raise Refused(decision.reason)
    reason, wrong = request.POST.get("reason", "")[:2001], {}
    if not reason.strip():
        wrong["reason"] = ["Say why this can't wait for an approval."]
    if len(reason.strip()) > 2000:
        wrong["reason"] = ["At most 2000 characters."]
    if not request.POST.get("password"):
        wrong["password"] = ["Give your password again."]
    if wrong:
        raise Invalid({field: [*texts, "Nothing was started."] for field, texts in wrong.items()})
    try:
        proved = prove_password(principal=request.principal, password=request.POST["password"][:1000])
    except Refused as error:
        raise Invalid({"password": [f"{error.message} Nothing was started."]}) from error
    break_glass(
        principal=request.principal,
        change_id=number,
        seen_hash=request.POST.get("seen", "")[:64],
        reason=reason,
        proved_at=proved,
    )


def _page(
    request: PageRequest, number: int, *, errors: dict[str, list[str]] | None = None, status: int = 200
) -> HttpResponseBase:
    detail = change_detail(request.principal, number)
    workspace = access.workspace(detail.row.workspace_id)
    hard = [one for one in detail.checks if one.name in HARD]
    context: dict[str, Any] = {
        "change": detail.row,
        "detail": detail,
        "workspace": workspace,
        "heading": f"Break the glass for CR-{number}",
        "what": view.heading(detail),
        "hard": hard,
        "skipped": [one for one in detail.checks if one.name not in HARD and not one.passed],
        "outcomes": OUTCOMES,
        "stands_against": [one for one in hard if not one.passed],
        "may": detail.may[Action.BREAK_GLASS],
        "refusal": "" if _possible(detail) else _OVER,
        "hours": timedelta(hours=settings.OPSPORTAL.break_glass_review_hours),
        "typed": request.POST.get("reason", "")[:2001],
        "errors": errors or {},
    }
    return render(request, "changes/break_glass.html", context, section="changes", status=status)


def _possible(detail: ChangeDetail) -> bool:
    fits = detail.row.kind is Kind.TRAFFIC and detail.row.state in _BREAKABLE
    return fits and not detail.row.emergency and detail.live is not None
