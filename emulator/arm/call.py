"""One ARM request as a handler sees it, and the answer it gives. Nothing here knows the HTTP server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from emulator import names
from emulator.control import Fate, Write
from emulator.errors import bad_request
from emulator.fold import Kind
from emulator.tokens import Identity
from emulator.values import Json


@dataclass(slots=True)
class Call:
    method: str
    subscription: str
    group: str
    named: tuple[str, ...]
    """The names in the path after the provider: workspace, endpoint, deployment; or location, operation."""
    scope: str
    query: Mapping[str, str]
    base: str
    identity: Identity
    raw: bytes = b""
    request_id: str | None = None
    fate: Fate | None = None

    @property
    def workspace(self) -> str:
        return names.workspace_id(self.subscription, self.group, self.named[0])

    @property
    def endpoint(self) -> str:
        return names.endpoint_id(self.workspace, self.named[1])

    @property
    def deployment(self) -> str:
        return names.deployment_id(self.endpoint, self.named[2])

    @property
    def api_version(self) -> str:
        return self.query.get("api-version", "")

    def body(self) -> Json:
        """The JSON object that was sent; anything else is a 400."""
        try:
            value = json.loads(self.raw or b"{}")
        except ValueError:
            raise bad_request("The request body is not JSON.", "InvalidRequestContent") from None
        if not isinstance(value, dict):
            raise bad_request("The request body is not a JSON object.", "InvalidRequestContent")
        return value

    def number(self, name: str, default: int) -> int:
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isdecimal():
            raise bad_request(
                f"Query parameter {name} is a whole number, not {text!r}.", "InvalidQueryParameter"
            )
        return int(text)

    def write(self, verb: str, kind: Kind, resource: str, document: Json | None) -> Write:
        return Write(verb, resource, kind, self.identity.who, document, self.request_id)


@dataclass(slots=True)
class Reply:
    """`body` is JSON already serialised, or None for an answer without one."""

    status: int = 200
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


def reply(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, json.dumps(value, separators=(",", ":")).encode(), headers or {})
