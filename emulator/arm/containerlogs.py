"""getLogs: the last lines of a deployment's container, made up from its model and its state."""

from __future__ import annotations

from datetime import datetime, timedelta

from emulator import names
from emulator.arm import deployments
from emulator.arm.call import Call, Reply, reply
from emulator.arm.routes import GROUP, Route, Table, at
from emulator.cloud import Cloud
from emulator.errors import bad_request
from emulator.fold import Resource
from emulator.values import moment

_CONTAINERS = ("StorageInitializer", "InferenceServer")
_DEFAULT_TAIL = 1000


def get_logs(cloud: Cloud, call: Call) -> Reply:
    found = deployments.require(cloud, call)
    sent = call.body()
    container = "InferenceServer" if sent.get("containerType") is None else sent["containerType"]
    tail = _DEFAULT_TAIL if sent.get("tail") is None else sent["tail"]
    if container not in _CONTAINERS or isinstance(tail, bool) or not isinstance(tail, int) or tail < 0:
        raise bad_request(
            "getLogs wants containerType StorageInitializer or InferenceServer and a tail of 0 or more."
        )
    lines = _lines(cloud, found, container)
    return reply({"content": "\n".join(lines[len(lines) - min(tail, len(lines)) :])})


def _lines(cloud: Cloud, found: Resource, container: str) -> list[str]:
    told = _storage(found) if container == "StorageInitializer" else _server(cloud, found)
    return [f"{at.strftime('%Y-%m-%d %H:%M:%S')},000 {text}" for at, text in _timed(found, told)]


def server_lines(cloud: Cloud, found: Resource) -> list[tuple[datetime, str]]:
    """What the server wrote as it started, and when."""
    return _timed(found, _server(cloud, found))


def _timed(found: Resource, told: list[str]) -> list[tuple[datetime, str]]:
    started = moment(found.created_at)
    return [(started + timedelta(seconds=i), text) for i, text in enumerate(told)]


def _storage(found: Resource) -> list[str]:
    model = found.body["properties"].get("model") or "no model"
    return [f"I {word} {model}" for word in ("Downloading", "Downloaded")]


def _server(cloud: Cloud, found: Resource) -> list[str]:
    operation = cloud.control.world.operations.get(found.operation or "")
    error = operation.error if operation is not None else None
    if found.state == "Failed" and error is not None:
        return [f"E {error.get('code')}: {error.get('message')}"]
    told = [
        "I Azure ML Inferencing HTTP server",
        "I Initializing scoring script",
        "I Ready to accept requests",
    ]
    return [*told, *(f"I {line}" for line in cloud.models.of(found.id).logs)]


ROUTES: Table = {
    at("POST", GROUP, "workspaces/*/onlineEndpoints/*/deployments/*/getLogs"): Route(
        get_logs, f"{names.DEPLOYMENT_TYPE}/getLogs/action"
    ),
}
