"""How a view says who may call it, what it takes and what it answers.

Each method of an `ApiView` wears `@operation(rule, …)`. From this one line come the permission at the door, the
strict reading of query and body, and the OpenAPI description. A method without it is denied to everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from inspect import cleandoc
from typing import Any, Protocol, cast

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from endpoints.access import selectors as access
from endpoints.access.policies import Action, Principal, decide, require
from endpoints.access.rows import WorkspaceRow
from endpoints.access.services import About
from endpoints.api.fields import StrictBody, StrictQuery
from endpoints.api.problems import MEDIA_TYPE
from endpoints.api.rules import Rule, Scope, check_token
from endpoints.api.shapes import ProblemOut
from endpoints.core.errors import Invalid, NotFound

Out = type[Serializer[Any]] | PolymorphicProxySerializer | OpenApiTypes
Answers = Mapping[int | tuple[int, str], Out | None]
"""By status, or by status and media type, where that is not JSON."""

UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_ALWAYS = (401, 403, 422, 503)
_WHEN_UNSAFE = (400, 413, 415)


def either(name: str, *shapes: type[Serializer[Any]]) -> PolymorphicProxySerializer:
    """An answer that has one of several shapes, by what was asked."""
    return PolymorphicProxySerializer(name, list(shapes), resource_type_field_name=None)


class NoBody(StrictBody):
    """An empty object, or no body at all."""


@dataclass(slots=True)
class Call:
    """One call, admitted and read. `workspace` is set by rules on a workspace."""

    request: Request
    principal: Principal
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    found_workspace: WorkspaceRow | None = None
    about: About = field(default_factory=About)

    @property
    def workspace(self) -> WorkspaceRow:
        assert self.found_workspace is not None  # only rules on a workspace read this
        return self.found_workspace


class Caller(Protocol):
    """What a view is to this module: it remembers the call, for what may still go wrong with it."""

    call: Call | None


@dataclass(frozen=True, slots=True)
class Operation:
    """What `@operation` was told, kept on the method for the door and for tests."""

    rule: Rule
    summary: str
    query: type[StrictQuery] | None
    body: type[StrictBody] | None
    is_throttled: bool


def operation(
    rule: Rule,
    *,
    summary: str,
    name: str,
    answers: Answers,
    query: type[StrictQuery] | None = None,
    body: type[StrictBody] | None = None,
    headers: tuple[OpenApiParameter, ...] = (),
    problems: tuple[int, ...] = (),
    is_throttled: bool = True,
    example: dict[str, Any] | None = None,
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Describe one method. `problems` are statuses beside those that follow from the rest."""
    described = Operation(rule, summary, query, body, is_throttled)

    def decorate(method: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @extend_schema(
            operation_id=name,
            summary=summary,
            description=cleandoc(method.__doc__ or ""),
            parameters=[*headers, *([query] if query else [])],
            request={"application/json": body} if body else None,
            responses=_responses(described, method.__name__, answers, problems),
            examples=[OpenApiExample("example", value=example, request_only=True)] if example else None,
        )
        @wraps(method)
        def run(view: Caller, request: Request, **kwargs: Any) -> HttpResponseBase:
            call = _enter(view, described, request, kwargs)
            return method(view, call, **kwargs)

        run.operation = described  # type: ignore[attr-defined]  # read by the door and by tests
        return run

    return decorate


def _responses(
    described: Operation, method: str, answers: Answers, problems: tuple[int, ...]
) -> dict[Any, Any]:
    statuses = {*_ALWAYS, *problems}
    if method.upper() in UNSAFE:
        statuses |= {*_WHEN_UNSAFE, *((429,) if described.is_throttled else ())}
    if described.rule.scope in (Scope.WORKSPACE, Scope.OBJECT):
        statuses.add(404)
    shown: dict[Any, Any] = {status: out or OpenApiResponse() for status, out in answers.items()}
    return shown | {(status, MEDIA_TYPE): ProblemOut for status in sorted(statuses)}


def _enter(view: Caller, described: Operation, request: Request, kwargs: dict[str, Any]) -> Call:
    call = Call(request, principal_of(request))
    view.call = call
    check_token(call.principal, described.rule)
    if described.rule.scope is Scope.WORKSPACE:
        call.found_workspace = _workspace(call.principal, kwargs.pop("ws"), described.rule.action)
        call.about = About(f"workspace:{call.workspace.id}", call.workspace.id)
    _at_the_door(call, described.rule)
    call.query = _read(described.query, _single(request)) if described.query else _no_query(request)
    if request.method in UNSAFE:
        call.body = _read(described.body or NoBody, request.data or {})
    return call


def principal_of(request: Request) -> Principal:
    """Who calls; `ByRule` has let nobody in without one."""
    return cast(Principal, request.user)


def _workspace(principal: Principal, slug: str, action: Action | None) -> WorkspaceRow:
    """The workspace that the address names, also for those who may only manage it and see nothing in it."""
    try:
        return access.workspace_by_slug(principal, slug, action or Action.VIEW)
    except NotFound:
        if action is Action.VIEW or not decide(principal, Action.ACCESS_VIEW):
            raise
        named = {row.slug: row for row in access.all_workspaces(principal)}
        if slug not in named:
            raise
        return named[slug]


def _at_the_door(call: Call, rule: Rule) -> None:
    if rule.action is None:
        return
    if rule.scope is Scope.WORKSPACE:
        row = call.workspace
        require(call.principal, rule.action, workspace_id=row.id, workspace=row.slug)
    elif rule.scope is Scope.INSTALLATION:
        require(call.principal, rule.action)


def _read(shape: type[StrictBody], data: Any) -> Mapping[str, Any]:
    serializer = shape(data=data)
    serializer.is_valid(raise_exception=True)
    return cast(Mapping[str, Any], serializer.validated_data)


def _single(request: Request) -> dict[str, str]:
    doubled = sorted(name for name, values in request.query_params.lists() if len(values) > 1)
    if doubled:
        raise Invalid({name: ["Give this once."] for name in doubled})
    return request.query_params.dict()


def _no_query(request: Request) -> Mapping[str, Any]:
    return _read(StrictQuery, _single(request))
