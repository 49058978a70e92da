"""The base of every view: who is let in at all, what one answer always has, and refusals on record."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from endpoints.access.policies import Principal
from endpoints.access.services import record_refusal
from endpoints.api import errors
from endpoints.api.authentication import BearerToken, BrowserSession
from endpoints.api.operation import UNSAFE, Call, Operation
from endpoints.api.parsing import AlwaysJson, StrictJsonParser
from endpoints.api.throttling import MutationRate
from endpoints.core.errors import Refused


class SignedIn(BasePermission):
    """Nobody anonymous."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.user, Principal):
            raise NotAuthenticated
        return True


class ByRule(SignedIn):
    """Nothing without a rule; what the rule says is asked as soon as the call is read."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        super().has_permission(request, view)
        method = (request.method or "").lower()
        if method not in view.http_method_names or not hasattr(view, method):
            return True  # nothing answers it: 405 follows
        return hasattr(getattr(view, method), "operation")


class ApiView(APIView):
    """Base of all views here."""

    authentication_classes = (BearerToken, BrowserSession)
    permission_classes: tuple[type[BasePermission], ...] = (ByRule,)
    parser_classes: tuple[type[StrictJsonParser], ...] = (StrictJsonParser,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = AlwaysJson
    http_method_names = ("get", "head", "post", "put", "delete")
    call: Call | None = None

    def get_throttles(self) -> list[BaseThrottle]:
        """Operations that change something share one rate for each person; rollbacks have none."""
        method = getattr(self, (self.request.method or "").lower(), None)
        described: Operation | None = getattr(method, "operation", None)
        limited = self.request.method in UNSAFE and described is not None and described.is_throttled
        return [MutationRate()] if limited else []

    def get_exception_handler(self) -> Any:
        return errors.handle

    def handle_exception(self, exc: Exception) -> Response:
        """A refused order is an event of its own: it goes on record before it is answered."""
        if isinstance(exc, Refused) and self.call is not None and self.request.method in UNSAFE:
            try:
                record_refusal(self.call.principal, self.call.about, exc.message)
            except Exception as unrecorded:  # noqa: BLE001 - whatever it is, the caller gets it as a problem
                return super().handle_exception(unrecorded)
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Nothing here is for a cache: answers differ by person and by second."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "no-store"
        return final
