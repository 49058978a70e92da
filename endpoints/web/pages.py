"""How a view says who may enter, and how a page is answered.

Every view wears `@page(rule)`: it resolves the person once, refuses before the view runs, and sets zone and
headers. A view without a rule never gets a URL (a test walks them all).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, Literal, ParamSpec, cast
from urllib.parse import quote

from django.contrib.auth import get_user, logout
from django.core.exceptions import BadRequest
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.shortcuts import render as django_render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails

from endpoints.access import selectors, sessions
from endpoints.access.policies import Action, Principal, require
from endpoints.access.rate import seconds_to_wait
from endpoints.web import display
from endpoints.web.shell import Shell, shell_for, zone_choice

P = ParamSpec("P")
Zone = Literal["utc", "home"]


class Scope(StrEnum):
    """Where a rule is decided: nowhere, at the door, on the workspace of the URL, or by the service of the object."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    WORKSPACE = "workspace"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may enter a view. `action` is what the policy is asked; None means that being signed in is enough."""

    scope: Scope
    action: Action | None = None


PUBLIC = Rule(Scope.PUBLIC)
SIGNED_IN = Rule(Scope.SIGNED_IN)


def on_workspace(action: Action) -> Rule:
    """Decided on the workspace that the URL names."""
    return Rule(Scope.WORKSPACE, action)


def on_object(action: Action) -> Rule:
    """Decided by the room's selector or service for the object that the URL names; outsiders get 404."""
    return Rule(Scope.OBJECT, action)


def on_installation(action: Action) -> Rule:
    """Decided at the door, for the whole installation."""
    return Rule(Scope.SIGNED_IN, action)


class PageRequest(HttpRequest):
    """What a view gets: a request with its person, and what htmx says."""

    principal: Principal
    htmx: HtmxDetails


class WrongMethod(Exception):
    """The page does not take this method; `allowed` are those that it takes."""

    def __init__(self, allowed: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(allowed)))
        self.allowed = allowed


class TooMany(Exception):
    """The person ordered more in the last minute than anybody may; `seconds` is how long to wait."""

    def __init__(self, seconds: float) -> None:
        self.seconds = int(seconds) + 1
        super().__init__(f"At most 30 orders a minute; wait {self.seconds} s. Rollbacks are not limited.")


View = Callable[Concatenate[PageRequest, P], HttpResponseBase]


def page(
    rule: Rule, *methods: str, is_limited: bool = True
) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """Let only those in whom `rule` admits, with one of `methods` (GET when none is named).

    What a page is sent counts against its person's rate, unless not `is_limited`.
    """
    allowed = frozenset(methods or ("GET",)) | ({"HEAD"} if not methods or "GET" in methods else frozenset())

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            if request.method not in allowed:
                raise WrongMethod(allowed)
            refuse_nul(request, kwargs)
            limited = is_limited and request.method == "POST"
            return _answer(cast(PageRequest, request), rule, view, kwargs, limited)

        guarded.rule = rule  # type: ignore[attr-defined]  # read by the access matrix
        guarded.methods = allowed  # type: ignore[attr-defined]
        return guarded

    return decorate


def refuse_nul(request: HttpRequest, kwargs: dict[str, Any]) -> None:
    """No text of ours has a NUL in it, and PostgreSQL stores none: such a request is malformed as a whole."""
    given = [*request.GET.items(), *request.POST.items(), *kwargs.items()]
    if any("\0" in str(part) for pair in given for part in pair):
        raise BadRequest("NUL")


def _answer(
    request: PageRequest, rule: Rule, view: Any, kwargs: dict[str, Any], limited: bool
) -> HttpResponseBase:
    if rule.scope is not Scope.PUBLIC:
        if not signed_in(request):
            return signed_out(request)
        admit(request, rule, kwargs)
        if limited and (wait := seconds_to_wait(request.principal)) > 0:
            raise TooMany(wait)
    with display.showing(_display(request)):
        response: HttpResponseBase = view(request, **kwargs)
    return private(response)


def signed_in(request: HttpRequest, *, by_itself: bool = False) -> bool:
    """Whether somebody is signed in and was here lately. What a page fetches by itself is no sign of a person."""
    if not request.user.is_authenticated:
        return False
    passive = by_itself or is_partial(request)
    session = dict(request.session.items()) if passive else request.session
    if not sessions.ended(session, datetime.now(UTC)):
        return True
    logout(request)
    return False


def still_signed_in(request: HttpRequest) -> bool:
    """`signed_in` out of fresh rows, for what outlives its request: a session can end while a stream is open."""
    again = HttpRequest()
    again.session = type(request.session)(request.session.session_key)
    return get_user(again).is_authenticated and not sessions.ended(
        dict(again.session.items()), datetime.now(UTC)
    )


def admit(request: PageRequest, rule: Rule, kwargs: dict[str, Any]) -> None:
    """Resolve the person and, for rules on a workspace, replace `ws` by the workspace; raises what policy says."""
    request.principal = selectors.principal_for_user(cast(Any, request.user), ip=address_of(request))
    if rule.scope is Scope.WORKSPACE and rule.action is not None:
        workspace = selectors.workspace_by_slug(request.principal, kwargs.pop("ws"))
        require(request.principal, rule.action, workspace_id=workspace.id, workspace=workspace.slug)
        kwargs["workspace"] = workspace
    elif rule.scope is Scope.SIGNED_IN and rule.action is not None:
        require(request.principal, rule.action)


def address_of(request: HttpRequest) -> str:
    """The caller's network address, as the server saw it."""
    return str(request.META.get("REMOTE_ADDR") or "")


def private(response: HttpResponseBase) -> HttpResponseBase:
    """Pages are about one person's view: no shared cache keeps them, and partials are not mistaken for pages."""
    add_never_cache_headers(response)
    patch_vary_headers(response, ("HX-Request", "Cookie"))
    return response


def _display(request: PageRequest) -> display.Display:
    principal = getattr(request, "principal", None)
    home = display.zone_named(principal.time_zone if principal else "UTC")
    return display.Display(home if zone_choice(request) == "home" else display.UTC_ZONE, home)


def signed_out(request: HttpRequest) -> HttpResponse:
    """To the sign-in; but a form or a partial gets told what did not happen, and keeps what was typed."""
    back = request.get_full_path() if request.method == "GET" else safe_next(request, request.path)
    address = f"{reverse('web:login')}?next={quote(back)}"
    if request.method == "GET" and not is_partial(request):
        return HttpResponseRedirect(address)
    typed = [
        text for name, text in request.POST.items() if name in ("reason", "comment") and str(text).strip()
    ]
    template = "partials/signed_out.html" if is_partial(request) else "errors/signed_out.html"
    return plain(request, template, {"address": address, "typed": typed}, status=401)


def is_partial(request: HttpRequest) -> bool:
    """Whether htmx asks for a piece of a page."""
    return request.headers.get("HX-Request") == "true"


def render(
    request: PageRequest,
    template: str,
    context: dict[str, Any],
    *,
    section: str = "",
    status: int = 200,
    endpoints: int | None = None,
) -> HttpResponse:
    """A whole page in its shell. `section` is the entry of the main navigation that it belongs to.

    `endpoints`: how many the person may see, where the page knows it already.
    """
    shell: Shell = shell_for(request, request.principal, section, endpoints=endpoints)
    return django_render(
        request, template, {**context, "shell": shell, "me": request.principal}, status=status
    )


def partial(
    request: PageRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """A piece of a page, for htmx."""
    context = {**context, "me": request.principal, "swap": True}
    return django_render(request, template, context, status=status)


def plain(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page without shell, person or database: sign-in and errors."""
    theme = request.COOKIES.get("theme", "")
    return django_render(
        request, template, {**context, "theme": theme if theme in ("light", "dark") else ""}, status=status
    )


def safe_next(request: HttpRequest, fallback: str) -> str:
    """Where to go after a form: the page it names, when that is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours and wanted.startswith("/") else fallback


def back(request: HttpRequest, fallback: str) -> HttpResponseRedirect:
    """After a form: to the page it names, by GET."""
    return HttpResponseRedirect(safe_next(request, fallback))


def to(page_name: str, /, **kwargs: Any) -> HttpResponseRedirect:
    """To one of our pages, by GET."""
    return HttpResponseRedirect(reverse(f"web:{page_name}", kwargs=kwargs or None))
