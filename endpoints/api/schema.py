"""The API's own description (OpenAPI 3), made from the views by drf-spectacular."""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers
from rest_framework.response import Response

from endpoints.api.operation import Call, operation
from endpoints.api.rules import SIGNED_IN
from endpoints.api.shapes import Shape
from endpoints.api.view import ApiView


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # untyped metaclass hook
    target_class = "endpoints.api.authentication.BearerToken"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "An API token, `opt_…`."}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # as above
    target_class = "endpoints.api.authentication.BrowserSession"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        text = "A browser's session. What changes something needs the header X-CSRFToken too."
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": text}


def only_v1(endpoints: list[Any]) -> list[Any]:
    """Preprocessing hook: what is under /api/v1 and describes itself."""
    return [entry for entry in endpoints if entry[0].startswith("/api/v1/") and hasattr(entry[3], "cls")]


def closed_inputs(result: dict[str, Any], generator: Any, request: Any, public: Any) -> dict[str, Any]:
    """Postprocessing hook: say of inputs that a field which is not named is refused."""
    for name, shape in result.get("components", {}).get("schemas", {}).items():
        if name.endswith("In") and shape.get("type") == "object":
            shape["additionalProperties"] = False
    return result


class DocumentOut(Shape):
    """An OpenAPI document."""

    openapi = serializers.CharField()


class OpenApi(ApiView):
    """`/openapi.json`."""

    @operation(SIGNED_IN, name="openapi", summary="This description", answers={200: DocumentOut})
    def get(self, call: Call) -> Response:
        """The description of this API."""
        return Response(document())


@cache
def document() -> dict[str, Any]:
    """Made once in each process: views do not change while it runs."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # untyped library
    return found
