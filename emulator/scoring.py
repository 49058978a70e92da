"""The scoring data plane: `POST /scoring/{region}/{endpoint}/score`, answered as by front door and container.

Real endpoints have a host name each; without DNS the region and the endpoint are in the path. A scoring URI
read from ARM is complete, so callers notice no difference.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field, replace

from aiohttp import web

from emulator import names, permissions, traffic
from emulator.arm.keys import endpoint_token, key_of
from emulator.cloud import Cloud
from emulator.control import Fate, effective_body
from emulator.errors import ArmError
from emulator.fold import Resource
from emulator.logs.requests import Request, line
from emulator.models import Failure, Model, picked
from emulator.monitor.minutes import OK
from emulator.requestlog import Entry
from emulator.tokens import SCORING_AUDIENCE
from emulator.values import Json, chance, new_guid, seconds

_HEADER = "azureml-model-deployment"
_MODEL_STATUS = "ms-azureml-model-error-statuscode"
_MODEL_REASON = "ms-azureml-model-error-reason"
_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9_-]")
_CLIENT_ID_LENGTH = 40
_TOO_MANY = "Too many pending requests"
_NOT_PERMITTED = "The token's identity has no permission to score at this endpoint."
_SCORE_ACTION = f"{names.ENDPOINT_TYPE}/score/action"


def client_request_id(sent: str | None, *, invalid: str) -> str | None:
    """x-ms-client-request-id as the service keeps it: letters, digits, - and _, at most 40 of them."""
    if not sent or (invalid == "dropped" and _NOT_ALLOWED.search(sent)):
        return None
    return _NOT_ALLOWED.sub("", sent)[:_CLIENT_ID_LENGTH] or None


@dataclass(slots=True)
class Scoring:
    cloud: Cloud
    _asked: dict[str, int] = field(default_factory=dict)
    _pending: dict[str, int] = field(default_factory=dict)

    async def score(self, request: web.Request, entry: Entry, _fate: Fate | None) -> web.Response:
        headers = self._trace(request, entry)
        raw = await request.read()
        took_ms = 0.0
        try:
            response, took_ms = await self._score(request, entry, raw)
        except ArmError as error:
            response = _plain(error.status, error.message)
            response.headers.update(error.headers)
        response.headers.update(headers)
        response.headers["Server"] = "azureml-frontdoor"
        self._log(request, entry, raw, response, took_ms)
        return response

    def _log(
        self, request: web.Request, entry: Entry, raw: bytes, response: web.Response, took_ms: float
    ) -> None:
        """Into the traffic log, refused requests too; the copy for the shadow deployment under an id of its own."""
        try:
            endpoint = self._endpoint(request)
        except ArmError:
            return
        told = response.headers.get(_MODEL_STATUS)
        at = self.cloud.control.clock()
        logged = Request(
            at=at,
            request_id=response.headers["x-request-id"],
            client_id=entry.client_request_id or "",
            deployment=entry.deployment or "",
            status=response.status,
            model_status=200 if response.status == 200 else int(told) if told else None,
            model_reason=response.headers.get(_MODEL_REASON, ""),
            sent_bytes=len(raw),
            answered_bytes=len(response.body) if isinstance(response.body, bytes) else 0,
            took_ms=took_ms,
            user_agent=entry.user_agent or "",
        )
        self.cloud.sent.add(endpoint.id, self._with_line(endpoint, logged, raw))
        if entry.mirrored_to is not None and self.cloud.settings.behaviour.mirrored_rows == "logged":
            copied = replace(logged, request_id=new_guid(), deployment=entry.mirrored_to)
            copied = replace(copied, status=200, model_status=200, model_reason="")
            self.cloud.sent.add(endpoint.id, self._with_line(endpoint, copied, raw))

    def _with_line(self, endpoint: Resource, logged: Request, raw: bytes) -> Request:
        """With what the model writes about an answer that it gave."""
        if logged.status != 200 or not logged.deployment:
            return logged
        deployment = self._deployment(endpoint, logged.deployment, 404)
        asset = str(deployment.body["properties"].get("model") or "")
        model, seed = self.cloud.models.of(deployment.id), self.cloud.settings.seed
        told = line(model, asset, logged.request_id, logged.client_id, seed, asset, raw.hex())
        return replace(logged, line=told)

    async def swagger(self, request: web.Request, _entry: Entry, _fate: Fate | None) -> web.Response:
        self.cloud.control.advance()
        endpoint = self._endpoint(request)
        self._authenticate(request, endpoint)
        return web.json_response(_swagger(names.last(endpoint.id)))

    async def _score(self, request: web.Request, entry: Entry, raw: bytes) -> tuple[web.Response, float]:
        """The answer, and how many milliseconds it is told to have taken."""
        self.cloud.control.advance()
        endpoint = self._endpoint(request)
        self._authenticate(request, endpoint)
        number = self._asked[endpoint.id] = self._asked.get(endpoint.id, 0) + 1
        deployment = self._route(request, endpoint, number)
        entry.deployment = names.last(deployment.id)
        if not request.headers.get(_HEADER):  # requests that skip the split are not mirrored
            entry.mirrored_to = self._mirrored(endpoint, number)
        response, took_ms = await self._ask(deployment, raw, number)
        self._count(deployment, entry.mirrored_to, response, took_ms)
        response.headers[_HEADER] = names.last(deployment.id)
        response.headers["azureml-model-session"] = names.last(deployment.id)
        return response, took_ms

    def _count(
        self, deployment: Resource, mirrored_to: str | None, response: web.Response, took_ms: float
    ) -> None:
        """Into the metrics of this minute, the copy for the shadow deployment too."""
        told = response.headers.get(_MODEL_STATUS)
        model = 200 if response.status == 200 else int(told) if told else None
        counted, minute = self.cloud.source.counted, int(self.cloud.control.clock().timestamp() // 60)
        counted.add(deployment.id, minute, (response.status, model), took_ms)
        if mirrored_to is not None:
            shadow = names.deployment_id(deployment.id.rpartition("/deployments/")[0], mirrored_to)
            counted.add(shadow, minute, OK, self.cloud.models.of(shadow).mean_ms)

    def _trace(self, request: web.Request, entry: Entry) -> dict[str, str]:
        """The answer's ids: x-request-id is always ours, the client's own is kept as far as it is valid."""
        request_id = new_guid()
        kept = client_request_id(
            request.headers.get("x-ms-client-request-id"),
            invalid=self.cloud.settings.behaviour.client_id_header_invalid,
        )
        entry.client_request_id = kept
        headers = {"x-request-id": request_id, "x-ms-request-id": kept or request_id}
        if kept is not None:
            headers["x-ms-client-request-id"] = kept
        return headers

    def _endpoint(self, request: web.Request) -> Resource:
        found = self.cloud.control.world.endpoint_in_region(
            request.match_info["region"], request.match_info["endpoint"]
        )
        if found is None:
            raise ArmError(404, "NotFound", "There is no such endpoint in this region.")
        return found

    def _authenticate(self, request: web.Request, endpoint: Resource) -> None:
        authorization = request.headers.get("Authorization", "")
        mode = str(endpoint.body["properties"]["authMode"]).lower()
        if mode == "aadtoken":
            identity = self.cloud.tokens.caller(authorization, frozenset({SCORING_AUDIENCE}))
            if not permissions.allows(identity, _SCORE_ACTION, endpoint.id):
                raise ArmError(self.cloud.settings.behaviour.score_denied_status, "Forbidden", _NOT_PERMITTED)
            return
        secret = authorization.removeprefix("Bearer ")
        valid = self._is_token(endpoint, secret) if mode == "amltoken" else self._is_key(endpoint, secret)
        if not valid:
            raise ArmError(
                401, "Unauthorized", "key_auth_access_denied" if mode == "key" else "token_auth_denied"
            )

    def _is_key(self, endpoint: Resource, secret: str) -> bool:
        return secret in {key_of(self.cloud, endpoint, which) for which in ("Primary", "Secondary")}

    def _is_token(self, endpoint: Resource, secret: str) -> bool:
        kind, _, rest = secret.partition(".")
        ends = rest.partition(".")[0]
        if kind != "aml" or not ends.isdecimal() or int(ends) < self.cloud.control.clock().timestamp():
            return False
        return secret == endpoint_token(self.cloud, endpoint, int(ends))

    def _route(self, request: web.Request, endpoint: Resource, number: int) -> Resource:
        """The deployment that answers: the one that the header names, else by the split in force."""
        wanted = request.headers.get(_HEADER)
        if wanted:
            return self._deployment(
                endpoint, wanted, self.cloud.settings.behaviour.unknown_deployment_header_status
            )
        roll = chance(self.cloud.settings.seed, "route", endpoint.id, number)
        name = traffic.pick(self._in_force(endpoint)["traffic"], roll)
        if name is None:
            raise ArmError(
                404,
                "NotFound",
                "No valid deployments to route to. Please check that the endpoint has at"
                " least one deployment with positive weight.",
            )
        return self._deployment(endpoint, name, 404)

    def _in_force(self, endpoint: Resource) -> Json:
        running = self.cloud.control.running_on(endpoint.id)
        takes_effect = self.cloud.settings.behaviour.traffic_takes_effect
        return dict(effective_body(endpoint, running, takes_effect=takes_effect)["properties"])

    def _mirrored(self, endpoint: Resource, number: int) -> str | None:
        """The deployment that gets a copy of this request, by its percentage."""
        roll = 100 * chance(self.cloud.settings.seed, "mirror", endpoint.id, number)
        for name, weight in self._in_force(endpoint)["mirrorTraffic"].items():
            if roll < weight:
                return str(name)
        return None

    def _deployment(self, endpoint: Resource, name: str, status: int) -> Resource:
        found = self.cloud.control.world.find(names.deployment_id(endpoint.id, name))
        if found is None:
            raise ArmError(status, "NotFound", "Specified deployment could not be found.")
        return found

    async def _ask(self, deployment: Resource, raw: bytes, number: int) -> tuple[web.Response, float]:
        """The answer, and how many milliseconds it is told to have taken."""
        if not self.cloud.source.serves(deployment):
            return _model_error(503, "Liveness or readiness probe failing"), 0.0
        properties = deployment.body["properties"]
        limits = properties.get("requestSettings") or {}
        capacity = (
            2 * int(limits.get("maxConcurrentRequestsPerInstance") or 1) * deployment.body["sku"]["capacity"]
        )
        pending = self._pending.get(deployment.id, 0)
        if pending >= capacity:
            return _plain(429, _TOO_MANY), 0.0
        self._pending[deployment.id] = pending + 1
        try:
            return await self._run(deployment, raw, number, seconds(limits.get("requestTimeout"), 5.0))
        finally:
            self._pending[deployment.id] -= 1

    async def _run(
        self, deployment: Resource, raw: bytes, number: int, timeout: float
    ) -> tuple[web.Response, float]:
        """As the minute is, so is the request: its load and its bad times are those of the metrics."""
        model = self.cloud.models.of(deployment.id)
        dice = (self.cloud.settings.seed, deployment.id, number)
        now = self.cloud.source.moment(deployment, self.cloud.control.clock().timestamp())
        if chance("turned away", *dice) < now.turned_away:
            return _plain(429, _TOO_MANY), 0.0
        wanted = model.latency_ms(chance("latency", *dice)) * now.strain / 1000
        took = min(wanted, timeout)
        await asyncio.sleep(min(took, self.cloud.settings.scoring_wait_ms / 1000))
        if wanted > timeout:
            return _plain(408, "Request timed out"), 1000 * took
        failure = picked(now.failures, chance("failure", *dice))
        if failure is not None:
            return _failed(failure), 1000 * took
        return self._answered(model, deployment, raw, took), 1000 * took

    def _answered(self, model: Model, deployment: Resource, raw: bytes, took: float) -> web.Response:
        asset = str(deployment.body["properties"].get("model") or "")
        answer = model.answer(self.cloud.settings.seed, asset, raw.hex())
        response = web.json_response(answer)
        response.headers["x-ms-run-fn-exec-ms"] = f"{took * 1000:.3f}"
        response.headers["x-ms-run-function-failed"] = "False"
        response.headers["x-ms-server-version"] = "azmlinfsrv/1.4.0"
        return response


def _failed(failure: Failure) -> web.Response:
    response = _model_error(failure.status, failure.reason)
    response.headers["x-ms-run-function-failed"] = "True"
    return response


def _model_error(status: int, reason: str) -> web.Response:
    """424: the container's own status travels in headers."""
    response = _plain(424, reason)
    response.headers[_MODEL_STATUS] = str(status)
    response.headers[_MODEL_REASON] = reason
    return response


def _plain(status: int, message: str) -> web.Response:
    body = json.dumps({"error": {"code": status, "message": message}}).encode()
    return web.Response(status=status, body=body, content_type="application/json")


def _swagger(name: str) -> Json:
    answer = {"200": {"description": "The model's answer"}}
    post = {"operationId": "RunMLService", "responses": answer}
    return {
        "swagger": "2.0",
        "info": {"title": name, "version": "1.0"},
        "paths": {"/score": {"post": post}},
    }
