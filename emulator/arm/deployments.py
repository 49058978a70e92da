"""Deployments of an endpoint: list, get, PUT, PATCH, DELETE, skus. `containerlogs.py` has their logs."""

from __future__ import annotations

from emulator import names, traffic
from emulator.arm import endpoints, shapes
from emulator.arm.accepted import accepted, at_once, created, refuse_if_busy
from emulator.arm.call import Call, Reply, reply
from emulator.arm.paging import ordered, page
from emulator.arm.routes import GROUP, Route, Table, at
from emulator.cloud import Cloud
from emulator.control import Fate
from emulator.documents import merged, stored
from emulator.errors import ArmError, bad_request, not_found
from emulator.fold import Resource
from emulator.values import Json

MAX_DEPLOYMENTS = 20
MAX_INSTANCES = 50


def require(cloud: Cloud, call: Call) -> Resource:
    found = cloud.control.world.find(call.deployment)
    if found is None:
        raise not_found(call.deployment)
    return found


def list_all(cloud: Cloud, call: Call) -> Reply:
    endpoint = endpoints.require(cloud, call)
    found = ordered(cloud.control.world.below(endpoint.id), call.query.get("$orderBy"))
    size = call.number("$top", cloud.settings.behaviour.deployment_page_size) or 1
    return page(cloud, call, found, path=f"{endpoint.id}/deployments", size=size)


def get(cloud: Cloud, call: Call) -> Reply:
    return Reply(body=cloud.views.document(require(cloud, call), call.base))


def put(cloud: Cloud, call: Call) -> Reply:
    endpoint = endpoints.require(cloud, call)
    sent = _checked(call)
    _refuse_if_any_busy(cloud, call, endpoint)
    found = cloud.control.world.find(call.deployment)
    if found is None:
        _refuse_if_full(cloud, endpoint)
        document = stored("deployment", sent)
    else:
        document = merged("deployment", found.body, sent, cloud.settings.behaviour)
    _check_capacity(document)
    durations = cloud.settings.durations
    operation = cloud.control.begin(
        call.write("put", "deployment", found.id if found else call.deployment, document),
        state="Updating" if found else "Creating",
        seconds=durations.deployment_update if found else durations.deployment_create,
        fate=call.fate or _quota(cloud, call, found, document),
    )
    return created(cloud, call, require(cloud, call), operation, new=found is None)


def patch(cloud: Cloud, call: Call) -> Reply:
    """Tags at once; the SKU (its capacity is the instance count) as an operation."""
    found = require(cloud, call)
    sent = call.body()
    shapes.check(sent)
    _refuse_if_any_busy(cloud, call, endpoints.require(cloud, call))
    document = dict(found.body)
    if sent.get("tags") is not None:
        document["tags"] = sent["tags"]
    if not sent.get("sku"):
        cloud.control.write_now(call.write("patch", "deployment", found.id, document))
        return at_once(cloud, call, found)
    document["sku"] = {**found.body["sku"], **sent["sku"]}
    _check_capacity(document)
    operation = cloud.control.begin(
        call.write("patch", "deployment", found.id, document),
        state=cloud.settings.behaviour.scaling_state,
        seconds=cloud.settings.durations.deployment_scale,
        fate=call.fate or _quota(cloud, call, found, document),
    )
    return accepted(cloud, call, found, operation)


def delete(cloud: Cloud, call: Call) -> Reply:
    endpoint = endpoints.require(cloud, call)
    found = cloud.control.world.find(call.deployment)
    if found is None:
        return Reply(204)
    _refuse_if_any_busy(cloud, call, endpoint)
    _refuse_if_live(cloud, call, endpoint)
    operation = cloud.control.begin(
        call.write("delete", "deployment", found.id, None),
        state="Deleting",
        seconds=cloud.settings.durations.deployment_delete,
        fate=call.fate,
    )
    return accepted(cloud, call, found, operation)


def skus(cloud: Cloud, call: Call) -> Reply:
    require(cloud, call)
    capacity = {"minimum": 1, "maximum": MAX_INSTANCES, "default": 1, "scaleType": "Manual"}
    item = {
        "resourceType": "Microsoft.MachineLearning.Services/endpoints/deployments",
        "sku": {"name": "Default", "tier": "Standard"},
        "capacity": capacity,
    }
    return reply({"value": [item]})


def _checked(call: Call) -> Json:
    sent = call.body()
    shapes.check(sent)
    if not names.is_valid(call.named[2]):
        raise bad_request(f"'{call.named[2]}' is no valid deployment name.")
    if not isinstance(sent.get("properties"), dict):
        raise bad_request("The request has no properties.", "InvalidRequestContent")
    if not sent.get("location"):
        raise bad_request("The location property is required for this definition.", "LocationRequired")
    return sent


def _refuse_if_any_busy(cloud: Cloud, call: Call, endpoint: Resource) -> None:
    refuse_if_busy(cloud, call.deployment)
    if cloud.settings.behaviour.endpoint_busy_blocks_deployments:
        refuse_if_busy(cloud, endpoint.id)


def _refuse_if_full(cloud: Cloud, endpoint: Resource) -> None:
    if len(cloud.control.world.below(endpoint.id)) >= MAX_DEPLOYMENTS:
        raise bad_request(f"An endpoint holds at most {MAX_DEPLOYMENTS} deployments.", "QuotaExceeded")


def _check_capacity(document: Json) -> None:
    capacity = document["sku"].get("capacity")
    if isinstance(capacity, bool) or not isinstance(capacity, int) or not 1 <= capacity <= MAX_INSTANCES:
        raise bad_request(
            f"The instance count is a whole number from 1 to {MAX_INSTANCES}, not {capacity!r}."
        )


def _quota(cloud: Cloud, call: Call, found: Resource | None, document: Json) -> Fate | None:
    """Azure takes a write that needs more cores than are left, and fails its operation."""
    default = int(cloud.settings.quota_cores)
    return cloud.market.fate(cloud.control.world, found, call.deployment, document, default)


def _refuse_if_live(cloud: Cloud, call: Call, endpoint: Resource) -> None:
    behaviour = cloud.settings.behaviour
    name = call.named[2].lower()
    properties = endpoint.body["properties"]
    for field in ("traffic", "mirrorTraffic") if behaviour.mirror_blocks_delete else ("traffic",):
        weight = traffic.positive(properties[field]).get(name)
        if weight:
            raise ArmError(
                behaviour.delete_live_status,
                behaviour.delete_live_code,
                f"Deployment '{name}' receives {weight} percent of {field}. Set it to 0 before deleting it.",
            )


_ALL = "workspaces/*/onlineEndpoints/*/deployments"
_ONE = f"{_ALL}/*"
_READ, _WRITE = f"{names.DEPLOYMENT_TYPE}/read", f"{names.DEPLOYMENT_TYPE}/write"
ROUTES: Table = {
    at("GET", GROUP, _ALL): Route(list_all, _READ),
    at("GET", GROUP, _ONE): Route(get, _READ),
    at("PUT", GROUP, _ONE): Route(put, _WRITE),
    at("PATCH", GROUP, _ONE): Route(patch, _WRITE),
    at("DELETE", GROUP, _ONE): Route(delete, f"{names.DEPLOYMENT_TYPE}/delete"),
    at("GET", GROUP, f"{_ONE}/skus"): Route(skus, _READ),
}
