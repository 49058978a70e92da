"""What a GET shows of a resource, serialised once per version: a fleet's pages must cost next to nothing."""

from __future__ import annotations

import json
from datetime import timedelta

from emulator import names
from emulator.control import Control
from emulator.documents import rendered
from emulator.fold import Resource
from emulator.values import Json, moment

Key = tuple[str, str]


class Views:
    def __init__(self, control: Control) -> None:
        self._control = control
        self._documents: dict[Key, tuple[int, bytes]] = {}

    def document(self, resource: Resource, base: str) -> bytes:
        key = (base, names.key(resource.id))
        cached = self._documents.get(key)
        if cached is not None and cached[0] == resource.version:
            return cached[1]
        text = json.dumps(self.shown(resource, base), separators=(",", ":")).encode()
        if not self._in_between(resource):
            self._documents[key] = (resource.version, text)
        return text

    def shown(self, resource: Resource, base: str) -> Json:
        return rendered(resource, self._body(resource), base=base, seed=self._control.settings.seed)

    def requested(self, resource: Resource, base: str) -> Json:
        """The answer to a write: the document as it was asked for."""
        body = resource.body if resource.pending is None else resource.pending
        return rendered(resource, body, base=base, seed=self._control.settings.seed)

    def page(self, resources: list[Resource], base: str, next_link: str | None) -> bytes:
        text = b'{"value":[' + b",".join(self.document(item, base) for item in resources) + b"]"
        if next_link is not None:
            text += b',"nextLink":' + json.dumps(next_link).encode()
        return text + b"}"

    def clear(self) -> None:
        """Forget all: a setting that shapes documents has changed."""
        self._documents.clear()

    def _body(self, resource: Resource) -> Json:
        behaviour = self._control.settings.behaviour
        if resource.pending is not None and behaviour.reported_while_updating == "requested":
            return resource.pending
        if self._in_between(resource) and resource.previous is not None:
            late = {name: resource.previous["properties"].get(name) for name in ("traffic", "mirrorTraffic")}
            return {**resource.body, "properties": {**resource.body["properties"], **late}}
        return resource.body

    def _in_between(self, resource: Resource) -> bool:
        """The operation has ended, but its split is not yet to be seen."""
        after = self._control.settings.behaviour.traffic_visible_after
        if (
            not after
            or resource.kind != "endpoint"
            or resource.settled_at is None
            or resource.previous is None
        ):
            return False
        return self._control.clock() < moment(resource.settled_at) + timedelta(seconds=after)
