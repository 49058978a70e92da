"""The admin port: faults, foreign writes, settings, and the ground truth. Loopback only, no sign-in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiohttp import web

from emulator import foreign
from emulator.cloud import Cloud
from emulator.faults import FaultError
from emulator.incidents import IncidentError
from emulator.logs import exports
from emulator.settings import SettingError
from emulator.tokens import Identity
from emulator.values import Json


class Admin:
    """Handlers of the admin port. Answers are JSON; what can't be understood is a 400 with `error`."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def app(self) -> web.Application:
        app = web.Application(middlewares=[_refusals])
        app.add_routes(
            [
                web.get("/health", self.health),
                web.get("/log", self.log),
                web.get("/world", self.world),
                web.get("/requests", self.requests),
                web.get("/faults", self.list_faults),
                web.post("/faults", self.add_faults),
                web.delete("/faults", self.remove_faults),
                web.delete("/faults/{id}", self.remove_faults),
                web.post("/foreign", self.foreign),
                web.post("/incidents", self.add_incident),
                web.delete("/incidents", self.remove_incidents),
                web.put("/diagnostics", self.diagnostics),
                web.patch("/settings", self.settings),
                web.patch("/identities/{name}", self.identity),
            ]
        )
        return app

    async def health(self, _request: web.Request) -> web.Response:
        world = self._cloud.control.world
        return web.json_response({"status": "ok", "records": world.last, "resources": len(world.resources)})

    async def log(self, request: web.Request) -> web.Response:
        """The world log after record `since`."""
        self._cloud.control.advance()
        records = self._cloud.control.log.since(_number(request, "since"))
        return web.json_response({"records": [record.to_json() for record in records]})

    async def world(self, request: web.Request) -> web.Response:
        """Every resource as it is in force, by ARM id in lower case; `?resource=` for one."""
        self._cloud.control.advance()
        world = self._cloud.control.world
        wanted = request.query.get("resource", "").lower()
        resources = {
            key: foreign.truth(item, world.running.get(key))
            for key, item in world.resources.items()
            if not wanted or key == wanted
        }
        return web.json_response({"last": world.last, "resources": resources})

    async def requests(self, request: web.Request) -> web.Response:
        """The request log after entry `since`; `plane` and `method` narrow it."""
        plane, method = request.query.get("plane"), request.query.get("method")
        entries = [
            entry.to_json()
            for entry in self._cloud.requests.since(_number(request, "since"))
            if (plane is None or entry.plane == plane) and (method is None or entry.method == method.upper())
        ]
        return web.json_response({"requests": entries, "last": self._cloud.requests.count})

    async def list_faults(self, _request: web.Request) -> web.Response:
        return web.json_response({"faults": self._cloud.faults.listed()})

    async def add_faults(self, request: web.Request) -> web.Response:
        """One fault, or a list of them."""
        value = await _json(request)
        orders = value if isinstance(value, list) else [value]
        added = [self._cloud.faults.add(order) for order in orders]
        return web.json_response({"ids": [fault.id for fault in added]}, status=201)

    async def remove_faults(self, request: web.Request) -> web.Response:
        return web.json_response({"removed": self._cloud.faults.remove(request.match_info.get("id"))})

    async def foreign(self, request: web.Request) -> web.Response:
        """Somebody else's write, in force at once."""
        self._cloud.control.advance()
        before = self._cloud.control.world.last
        foreign.perform(self._cloud.control, await _mapping(request))
        records = self._cloud.control.log.since(before)
        return web.json_response({"records": [record.to_json() for record in records]}, status=201)

    async def add_incident(self, request: web.Request) -> web.Response:
        """A bad time of one deployment, in metrics and for requests that are really sent."""
        self._cloud.incidents.add(await _mapping(request))
        return web.json_response({"added": True}, status=201)

    async def remove_incidents(self, _request: web.Request) -> web.Response:
        return web.json_response({"removed": self._cloud.incidents.clear()})

    async def diagnostics(self, request: web.Request) -> web.Response:
        """From now on an endpoint's logs go where this says; what was exported before stays."""
        exports.replace(self._cloud, await _mapping(request))
        return web.json_response({"changed": True})

    async def settings(self, request: web.Request) -> web.Response:
        values = await _mapping(request)
        self._cloud.settings.change(values)
        self._cloud.views.clear()
        self._cloud.budget.clear()
        if "arm_buckets" in values:
            self._cloud.buckets.clear()
        return web.json_response({"changed": True})

    async def identity(self, request: web.Request) -> web.Response:
        """Change what an identity may do: actions, not_actions, scopes."""
        values = await _mapping(request)
        unknown = set(values) - {"actions", "not_actions", "scopes"}
        if not all(isinstance(value, list) for value in values.values()):
            raise SettingError("actions, not_actions and scopes are lists.")
        tokens = self._cloud.tokens
        found = next((i for i in tokens.identities if i.name == request.match_info["name"]), None)
        if found is None or unknown:
            raise SettingError(
                "There is no such identity." if found is None else f"Unknown: {sorted(unknown)}."
            )
        changed = _limited(found, values)
        tokens.identities[tokens.identities.index(found)] = changed
        return web.json_response({"changed": True})


def _limited(identity: Identity, values: Json) -> Identity:
    return replace(
        identity,
        actions=tuple(values.get("actions", identity.actions)),
        not_actions=tuple(values.get("not_actions", identity.not_actions)),
        scopes=tuple(values.get("scopes", identity.scopes)),
    )


@web.middleware
async def _refusals(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except (FaultError, SettingError, foreign.ForeignError, IncidentError, exports.ExportError) as error:
        return web.json_response({"error": f"{error} Nothing was changed."}, status=400)


async def _json(request: web.Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        raise SettingError("The body is not JSON.") from None


async def _mapping(request: web.Request) -> Json:
    value = await _json(request)
    if not isinstance(value, dict):
        raise SettingError("The body is a JSON object.")
    return value


def _number(request: web.Request, name: str) -> int:
    text = request.query.get(name, "0")
    if not text.isdecimal():
        raise SettingError(f"{name} is a whole number, not {text!r}.")
    return int(text)
