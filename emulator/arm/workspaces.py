"""Workspaces: read only. They come from the scenario."""

from __future__ import annotations

from emulator import names
from emulator.arm.call import Call, Reply
from emulator.arm.routes import GROUP, SUBSCRIPTION, Route, Table, at
from emulator.cloud import Cloud
from emulator.errors import not_found
from emulator.fold import Resource


def require(cloud: Cloud, call: Call) -> Resource:
    found = cloud.control.world.find(call.workspace)
    if found is None:
        raise not_found(call.workspace)
    return found


def get(cloud: Cloud, call: Call) -> Reply:
    return Reply(body=cloud.views.document(require(cloud, call), call.base))


def list_all(cloud: Cloud, call: Call) -> Reply:
    found = cloud.control.world.below(f"/subscriptions/{call.subscription}")
    if call.group:
        found = [item for item in found if item.id.split("/")[4].lower() == call.group.lower()]
    return Reply(body=cloud.views.page(found, call.base, None))


READ = f"{names.WORKSPACE_TYPE}/read"
ROUTES: Table = {
    at("GET", SUBSCRIPTION, "workspaces"): Route(list_all, READ),
    at("GET", GROUP, "workspaces"): Route(list_all, READ),
    at("GET", GROUP, "workspaces/*"): Route(get, READ),
}
