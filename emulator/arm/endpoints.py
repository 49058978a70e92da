"""Online endpoints: list, get, PUT, PATCH, DELETE. Their keys and tokens are in `keys.py`."""

from __future__ import annotations

from emulator import names, traffic
from emulator.arm import shapes, workspaces
from emulator.arm.accepted import accepted, at_once, created, refuse_if_busy
from emulator.arm.call import Call, Reply
from emulator.arm.paging import ordered, page
from emulator.arm.routes import GROUP, Route, Table, at
from emulator.cloud import Cloud
from emulator.documents import merged, stored
from emulator.errors import ArmError, bad_request, not_found
from emulator.fold import Resource
from emulator.traffic import Deployed, TrafficError
from emulator.values import Json

_PATCHABLE_TRAFFIC = "2022-02-01-preview"


def require(cloud: Cloud, call: Call) -> Resource:
    found = cloud.control.world.find(call.endpoint)
    if found is None:
        raise not_found(call.endpoint)
    return found


def list_all(cloud: Cloud, call: Call) -> Reply:
    workspace = workspaces.require(cloud, call)
    found = cloud.control.world.below(workspace.id)
    name, compute = call.query.get("name"), call.query.get("computeType")
    if name:
        found = [item for item in found if names.last(item.id).lower() == name.lower()]
    if compute:
        found = [item for item in found if str(item.body["kind"]).lower() == compute.lower()]
    size = call.number("count", cloud.settings.behaviour.endpoint_page_size) or 1
    return page(
        cloud,
        call,
        ordered(found, call.query.get("orderBy")),
        path=f"{workspace.id}/onlineEndpoints",
        size=size,
    )


def get(cloud: Cloud, call: Call) -> Reply:
    return Reply(body=cloud.views.document(require(cloud, call), call.base))


def put(cloud: Cloud, call: Call) -> Reply:
    workspaces.require(cloud, call)
    found = cloud.control.world.find(call.endpoint)
    sent = _checked(call)
    _refuse_if_any_busy(cloud, call, found)
    behaviour = cloud.settings.behaviour
    if found is None:
        _refuse_if_taken(cloud, call, str(sent["location"]))
        document = stored("endpoint", sent)
    else:
        document = merged("endpoint", found.body, sent, behaviour)
    _settle_traffic(cloud, found, document)
    durations = cloud.settings.durations
    operation = cloud.control.begin(
        call.write("put", "endpoint", found.id if found else call.endpoint, document),
        state="Updating" if found else "Creating",
        seconds=durations.endpoint_update if found else durations.endpoint_create,
        fate=call.fate,
    )
    return created(cloud, call, require(cloud, call), operation, new=found is None)


def patch(cloud: Cloud, call: Call) -> Reply:
    """Tags and identity at once; traffic only by the one api-version that knows it, as an operation."""
    found = require(cloud, call)
    sent = call.body()
    shapes.check(sent)
    properties = sent.get("properties") or {}
    _refuse_if_any_busy(cloud, call, found)
    if properties and call.api_version != _PATCHABLE_TRAFFIC:
        raise bad_request(f"api-version '{call.api_version}' of PATCH knows tags and identity only.")
    document = {**found.body, "properties": {**found.body["properties"], **properties}}
    document.update({name: sent[name] for name in ("tags", "identity") if sent.get(name) is not None})
    if not properties:
        cloud.control.write_now(call.write("patch", "endpoint", found.id, document))
        return at_once(cloud, call, found)
    _settle_traffic(cloud, found, document)
    operation = cloud.control.begin(
        call.write("patch", "endpoint", found.id, document),
        state="Updating",
        seconds=cloud.settings.durations.endpoint_update,
        fate=call.fate,
    )
    return accepted(cloud, call, found, operation)


def delete(cloud: Cloud, call: Call) -> Reply:
    found = cloud.control.world.find(call.endpoint)
    if found is None:
        return Reply(204)
    refuse_if_busy(cloud, found.id)
    for deployment in cloud.control.world.below(found.id):
        refuse_if_busy(cloud, deployment.id)
    operation = cloud.control.begin(
        call.write("delete", "endpoint", found.id, None),
        state="Deleting",
        seconds=cloud.settings.durations.endpoint_delete,
        fate=call.fate,
    )
    return accepted(cloud, call, found, operation)


def deployed(cloud: Cloud, endpoint: Resource | None) -> list[Deployed]:
    if endpoint is None:
        return []
    return [Deployed(names.last(item.id), item.state) for item in cloud.control.world.below(endpoint.id)]


def _checked(call: Call) -> Json:
    sent = call.body()
    shapes.check(sent)
    if not names.is_valid(call.named[1]):
        raise bad_request(f"'{call.named[1]}' is no valid endpoint name.")
    if not isinstance(sent.get("properties"), dict):
        raise bad_request("The request has no properties.", "InvalidRequestContent")
    if not sent.get("location"):
        raise bad_request("The location property is required for this definition.", "LocationRequired")
    return sent


def _refuse_if_any_busy(cloud: Cloud, call: Call, found: Resource | None) -> None:
    refuse_if_busy(cloud, call.endpoint)
    if found is not None and cloud.settings.behaviour.deployment_busy_blocks_endpoint:
        for deployment in cloud.control.world.below(found.id):
            refuse_if_busy(cloud, deployment.id)


def _refuse_if_taken(cloud: Cloud, call: Call, region: str) -> None:
    taken = cloud.control.world.endpoint_in_region(region, call.named[1])
    if taken is not None:
        raise bad_request(
            f"There is already an endpoint with this name in {region}. Names are unique per region."
        )


def _settle_traffic(cloud: Cloud, found: Resource | None, document: Json) -> None:
    """Check both splits of the document against the rules and store them as the service spells them."""
    behaviour = cloud.settings.behaviour
    properties = document["properties"]
    under = deployed(cloud, found)
    try:
        live = traffic.parse(properties.get("traffic"), "Traffic")
        mirror = traffic.parse(properties.get("mirrorTraffic"), "Mirror traffic")
        traffic.check(
            live,
            mirror,
            before=found.body["properties"]["traffic"] if found else {},
            deployed=under,
            managed=not properties.get("compute"),
            behaviour=behaviour,
        )
    except TrafficError as error:
        raise ArmError(behaviour.bad_traffic_status, behaviour.bad_traffic_code, str(error)) from None
    properties["traffic"] = traffic.spelt(live, under, behaviour)
    properties["mirrorTraffic"] = traffic.spelt(mirror, under, behaviour)


_ALL, _ONE = "workspaces/*/onlineEndpoints", "workspaces/*/onlineEndpoints/*"
_READ, _WRITE = f"{names.ENDPOINT_TYPE}/read", f"{names.ENDPOINT_TYPE}/write"
ROUTES: Table = {
    at("GET", GROUP, _ALL): Route(list_all, _READ),
    at("GET", GROUP, _ONE): Route(get, _READ),
    at("PUT", GROUP, _ONE): Route(put, _WRITE),
    at("PATCH", GROUP, _ONE): Route(patch, _WRITE),
    at("DELETE", GROUP, _ONE): Route(delete, f"{names.ENDPOINT_TYPE}/delete"),
}
