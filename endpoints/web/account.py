"""Sign-in and sign-out, a person's profile and own API tokens, and the display's zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login as begin_session
from django.contrib.auth import logout as end_session
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from endpoints.access import selectors, services, sessions
from endpoints.access.matrix import Scope
from endpoints.access.policies import Action
from endpoints.access.roles import TITLES
from endpoints.core.errors import Invalid, Refused
from endpoints.web.pages import (
    PUBLIC,
    SIGNED_IN,
    PageRequest,
    address_of,
    back,
    on_installation,
    page,
    plain,
    render,
    safe_next,
    to,
)
from endpoints.web.shell import THEME_COOKIE, THEMES, ZONE_COOKIE

BACKEND = "endpoints.access.backend.Accounts"
YEAR = 365 * 86_400
SCOPES = [
    (Scope.READ, "read endpoints and changes"),
    (Scope.CHANGE, "ask for, edit, withdraw and start changes"),
    (Scope.APPROVE, "approve and reject, where you may"),
    (Scope.ROLLBACK, "roll traffic back"),
    (Scope.AUDIT, "read and verify the audit history"),
    (Scope.ADMIN, "connect workspaces, manage accounts and roles, where you may"),
]


@sensitive_post_parameters("password")
@page(PUBLIC, "GET", "POST")
def login(request: PageRequest) -> HttpResponseBase:
    """The sign-in form."""
    following = safe_next(request, "/")
    if request.method == "GET":
        if request.user.is_authenticated:
            return HttpResponseRedirect(following)
        return plain(request, "account/login.html", {"errors": {}, "typed": "", "next": following})
    typed = request.POST.get("username", "")[:80]
    try:
        user = services.sign_in(
            username=typed, password=request.POST.get("password", "")[:1000], ip=address_of(request)
        )
    except Refused as error:
        context = {"errors": {"": [error.message]}, "typed": typed, "next": following}
        return plain(request, "account/login.html", context, status=403)
    begin_session(request, user, backend=BACKEND)
    sessions.begin(request.session, datetime.now(UTC))
    return HttpResponseRedirect(following)


@page(SIGNED_IN, "POST", is_limited=False)
def logout(request: PageRequest) -> HttpResponseBase:
    """End the session."""
    services.sign_out(principal=request.principal)
    end_session(request)
    return to("login")


@page(SIGNED_IN, "POST", is_limited=False)
def zone(request: PageRequest) -> HttpResponseBase:
    """Show times in UTC or in one's own zone, from here on in this browser."""
    response = back(request, "/")
    return keep(response, ZONE_COOKIE, "home" if request.POST.get("zone") == "home" else "utc")


def keep(response: HttpResponse, name: str, value: str) -> HttpResponse:
    """A preference of this browser; nothing secret and nothing that decides."""
    response.set_cookie(
        name, value, max_age=YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )
    return response


@sensitive_post_parameters("current", "password")
@page(SIGNED_IN, "GET", "POST")
def profile(request: PageRequest) -> HttpResponseBase:
    """Zone, colours, shortcuts, password, and the roles that one has."""
    if request.method == "GET":
        return _profile(request)
    try:
        if request.POST.get("form") == "password":
            return _change_password(request)
        return _save_display(request)
    except Invalid as error:
        return _profile(request, errors=error.fields, status=422)
    except Refused as error:
        return _profile(request, errors={"current": [error.message]}, status=403)


def _profile(
    request: PageRequest, *, errors: dict[str, list[str]] | None = None, status: int = 200
) -> HttpResponse:
    me = request.principal
    context = {
        "errors": errors or {},
        "person": selectors.person(me.user_id) if me.user_id else None,
        "grants": selectors.grants(me, user_id=me.user_id),
        "titles": TITLES,
        "time_zone": request.POST.get("time_zone", me.time_zone),
        "zones": sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"),
    }
    return render(request, "account/profile.html", context, section="profile", status=status)


def _save_display(request: PageRequest) -> HttpResponse:
    services.update_preferences(
        principal=request.principal,
        time_zone=request.POST.get("time_zone", "").strip() or "UTC",
        shortcuts_enabled=request.POST.get("shortcuts") == "on",
    )
    messages.success(request, "Saved.")
    theme = request.POST.get("theme", "")
    return keep(to("profile"), THEME_COOKIE, theme if theme in THEMES else "")


def _change_password(request: PageRequest) -> HttpResponse:
    services.change_password(
        principal=request.principal,
        current=request.POST.get("current", "")[:1000],
        new=request.POST.get("password", "")[:1000],
    )
    user: Any = request.user
    user.refresh_from_db()
    update_session_auth_hash(request, user)
    messages.success(request, "Your password is changed. Your other sessions have ended.")
    return to("profile")


@dataclass(frozen=True, slots=True)
class TokenAsked:
    """The form for a new token as it was typed."""

    name: str = ""
    scopes: tuple[str, ...] = (Scope.READ,)
    workspaces: tuple[int, ...] = ()
    days: str = "30"


@page(on_installation(Action.OWN_TOKENS), "GET", "POST")
def tokens(request: PageRequest) -> HttpResponseBase:
    """One's own API tokens, and a new one, whose secret this answer alone shows."""
    if request.method == "GET":
        return _tokens(request, TokenAsked())
    asked = TokenAsked(
        name=request.POST.get("name", ""),
        scopes=tuple(request.POST.getlist("scopes")),
        workspaces=tuple(map(_number, request.POST.getlist("workspaces"))),
        days=request.POST.get("days", "")[:4],
    )
    try:
        _, secret = services.create_token(
            principal=request.principal,
            name=asked.name,
            scopes=asked.scopes,
            workspace_ids=asked.workspaces,
            days=int(asked.days) if asked.days.isdecimal() else 0,
        )
    except Invalid as error:
        return _tokens(request, asked, errors=error.fields, status=422)
    return _tokens(request, TokenAsked(), secret=secret)


def _number(text: str) -> int:
    """0, which is nobody's workspace, for what is none: leaving it out would make a token that reaches more."""
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _tokens(
    request: PageRequest,
    typed: TokenAsked,
    *,
    errors: dict[str, list[str]] | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    workspaces = selectors.workspaces(request.principal)
    context = {
        "errors": errors or {},
        "typed": typed,
        "secret": secret,
        "tokens": selectors.own_tokens(request.principal),
        "slugs": {one.id: one.slug for one in workspaces},
        "workspaces": workspaces,
        "scopes": SCOPES,
        "now": datetime.now(UTC),
    }
    return render(request, "account/tokens.html", context, section="tokens", status=status)


@page(on_installation(Action.OWN_TOKENS), "POST")
def token_revoke(request: PageRequest, *, token_id: int) -> HttpResponseBase:
    """End one of one's tokens."""
    services.revoke_token(principal=request.principal, token_id=token_id)
    messages.success(request, "The token is revoked; whatever uses it is refused from now on.")
    return HttpResponseRedirect(reverse("web:tokens"))
