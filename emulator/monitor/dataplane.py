"""`POST /metrics/{region}/subscriptions/{s}/metrics:getBatch`: metrics of up to 50 resources of one region."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from emulator import names, permissions
from emulator.cloud import Cloud
from emulator.control import Fate
from emulator.errors import ArmError, error_body, not_found
from emulator.fold import Resource
from emulator.listener import base_url
from emulator.monitor import answer, query
from emulator.monitor.answer import Frame
from emulator.monitor.catalogue import Namespace, of_kind
from emulator.requestlog import Entry
from emulator.tokens import Identity
from emulator.values import Json, new_guid

AUDIENCE = "https://metrics.monitor.azure.com"
READ = "Microsoft.Insights/metrics/read"
MAX_RESOURCES = 50
_POINTS_AT_ONCE = 50_000
"""After so many points other requests get their turn: they must not wait for a day of fifty endpoints."""


@dataclass(slots=True)
class Batch:
    cloud: Cloud

    async def answer(self, request: web.Request, entry: Entry, _fate: Fate | None) -> web.Response:
        headers = {"x-ms-request-id": new_guid()}
        try:
            body = await self._answer(request, entry)
        except ArmError as error:
            headers.update(error.headers, **{"x-ms-error-code": error.code})
            return web.json_response(_refusal(error), status=error.status, headers=headers)
        return web.Response(body=body, headers=headers, content_type="application/json")

    async def _answer(self, request: web.Request, entry: Entry) -> bytes:
        cloud = self.cloud
        cloud.control.advance()
        identity = cloud.tokens.caller(request.headers.get("Authorization"), audiences(base_url(request)))
        entry.caller = identity.name
        entry.body = sent = await _body(request)
        asked = {name.lower(): value for name, value in request.query.items()}
        subscription = request.match_info["subscription"]
        self._count(identity, subscription)
        ids = _ids(sent, subscription)
        for resource_id in ids:
            permissions.check(identity, READ, resource_id)
        found = self._found(ids, request.match_info["region"])
        space = query.namespace(asked.get("metricnamespace"), _space(ids, found))
        now = cloud.control.clock()
        settings = cloud.settings
        frame = answer.frame(
            query.parse(asked, space, query.batch_span(asked, now), settings.behaviour),
            now=now.timestamp(),
            lag=settings.behaviour.metrics_lag_seconds,
            settle=settings.behaviour.metrics_settle_seconds,
        )
        self._take_points(request.match_info["region"], frame, len(ids))
        return await self._values(frame, ids, found)

    def _found(self, ids: list[str], region: str) -> dict[str, Resource]:
        """The resources that are there; all of this region and of one kind."""
        world = self.cloud.control.world
        found = {resource_id: resource for resource_id in ids if (resource := world.find(resource_id))}
        if len(found) < len(ids) and self.cloud.settings.behaviour.unknown_resource_spoils == "call":
            raise not_found(next(item for item in ids if item not in found))
        if len({_type(item) for item in ids}) > 1:
            raise query.refused("All resources of a batch must be of the same resource type")
        for resource in found.values():
            if str(resource.body.get("location", "")).lower() != region.lower():
                raise query.refused(f"The resource {resource.id} is not in the region {region}")
        return found

    async def _values(self, frame: Frame, ids: list[str], found: dict[str, Resource]) -> bytes:
        texts = []
        points = 0
        for resource_id in ids:
            texts.append(self._value(frame, resource_id, found.get(resource_id)))
            points += texts[-1].count("timeStamp")
            if points >= _POINTS_AT_ONCE:
                points = 0
                await asyncio.sleep(0)
        return f'{{"values":[{",".join(texts)}]}}'.encode()

    def _value(self, frame: Frame, resource_id: str, resource: Resource | None) -> str:
        cloud, asked = self.cloud, frame.query
        head = {
            "starttime": asked.span.starttime,
            "endtime": asked.span.endtime,
            "interval": asked.interval,
            "namespace": asked.space.name.lower(),
            "resourceregion": "" if resource is None else resource.body.get("location", ""),
            "resourceid": resource_id,
        }
        if resource is None:
            value = answer.missing(frame, resource_id)
        else:
            measured = cloud.source.measured(resource, frame.window)
            value = answer.metrics(frame, resource_id, measured, cloud.faults.blemishes(resource_id))
        return f'{json.dumps(head, separators=(",", ":"))[:-1]},"value":{value}}}'

    def _count(self, identity: Identity, subscription: str) -> None:
        self.cloud.budget.take(
            ("calls", identity.object_id, subscription.lower()),
            1,
            self.cloud.settings.metrics_calls_per_minute,
            status=429,
            code="TooManyRequests",
            said="Too many requests of this caller. Please try again later.",
        )

    def _take_points(self, region: str, frame: Frame, resources: int) -> None:
        self.cloud.budget.take(
            ("points", region.lower()),
            frame.points * resources * len(frame.query.metrics),
            self.cloud.settings.metrics_points_per_minute,
            status=529,
            code="ServerOverloaded",
            said="The metrics service of this region is overloaded. Please try again later.",
        )


def audiences(base: str) -> frozenset[str]:
    """What a token for the data plane may be made out to: Azure's name, and ours."""
    return frozenset({AUDIENCE, base, f"{base}/metrics"})


def _refusal(error: ArmError) -> Json:
    """The data plane names the trace in `additionalInfo`."""
    told = error_body(error.code, error.message)
    told["error"]["additionalInfo"] = [{"type": "string", "info": f"TraceId={{{new_guid()}}}"}]
    return told


async def _body(request: web.Request) -> Any:
    try:
        return json.loads(await request.read() or b"null")
    except ValueError:
        raise query.refused("The request body is not JSON") from None


def _ids(sent: Any, subscription: str) -> list[str]:
    """The ids of the body, as sent; the key is written in lower case."""
    ids = sent.get("resourceids") if isinstance(sent, dict) else None
    if not isinstance(ids, list) or not ids or not all(isinstance(item, str) for item in ids):
        raise query.refused("The request body has no list of resourceids")
    if len(ids) > MAX_RESOURCES:
        raise query.refused(f"The number of resource ids, {len(ids)}, exceeds the maximum of {MAX_RESOURCES}")
    for item in ids:
        parts = item.split("/")
        if len(parts) < 3 or parts[1].lower() != "subscriptions":
            raise query.refused(f"Invalid resource id: {item}")
        if parts[2].lower() != subscription.lower():
            raise query.refused(f"The resource {item} is not in the subscription {subscription}")
    return ids


def _type(resource_id: str) -> str:
    """`microsoft.…/workspaces/onlineendpoints`, from the words of an id."""
    provider = resource_id.lower().rpartition("/providers/")[2].split("/")
    return "/".join([provider[0], *provider[1::2]])


def _space(ids: list[str], found: dict[str, Resource]) -> Namespace:
    kinds = {names.ENDPOINT_TYPE.lower(): "endpoint", names.DEPLOYMENT_TYPE.lower(): "deployment"}
    kind = next((item.kind for item in found.values()), kinds.get(_type(ids[0]), ""))
    space = of_kind(kind)
    if space is None:
        raise query.refused(f"Resource type {_type(ids[0])} has no platform metrics here")
    return space
