"""Who calls: a bearer token, or the session of a browser, which then needs the CSRF token too.

Whoever sends an Authorization header is judged by it alone: a bad token never falls back to a session.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from endpoints.access import services, sessions
from endpoints.access.policies import Principal
from endpoints.access.selectors import principal_for_user
from endpoints.core.errors import Refused

CHALLENGE = 'Bearer realm="opsportal"'


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer opt_…`."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _, raw = header.strip().partition(" ")
        if scheme.lower() != "bearer" or not raw.strip():
            raise AuthenticationFailed("Send the token as “Authorization: Bearer opt_…”.")
        try:
            return services.authenticate_token(raw.strip(), ip=address_of(request)), None
        except Refused as error:
            raise AuthenticationFailed(error.message) from error

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class BrowserSession(BaseAuthentication):
    """The session that pages use, with the same ends."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        inner = request._request
        user = inner.user
        if not user.is_authenticated:
            return None
        if sessions.ended(inner.session, datetime.now(UTC)):
            logout(inner)
            return None
        principal = principal_for_user(user, ip=address_of(request))
        if principal.is_anonymous:
            return None
        _require_csrf(inner)
        return principal, None

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class _CsrfCheck(CsrfViewMiddleware):
    """Gives the reason back instead of a page."""

    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason


def _require_csrf(request: HttpRequest) -> None:
    check = _CsrfCheck(lambda _: HttpResponse())
    check.process_request(request)
    if reason := check.process_view(request, lambda _: HttpResponse(), (), {}):
        raise PermissionDenied(
            f"A session needs the CSRF token in the header X-CSRFToken ({str(reason).rstrip('.')})."
        )


def address_of(request: Request) -> str:
    """The caller's network address, as the server saw it."""
    return str(request.META.get("REMOTE_ADDR") or "")
