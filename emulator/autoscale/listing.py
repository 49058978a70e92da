"""`Microsoft.Insights/autoscalesettings`: list by subscription or resource group, get, PUT, DELETE. At once."""

from __future__ import annotations

from urllib.parse import urlencode

from emulator import names
from emulator.arm.call import Call, Reply, reply
from emulator.arm.routes import GROUP, SUBSCRIPTION, Route, Table, at
from emulator.autoscale import documents
from emulator.cloud import Cloud
from emulator.errors import ArmError, not_found
from emulator.fold import Resource
from emulator.values import Json


def list_all(cloud: Cloud, call: Call) -> Reply:
    found = cloud.control.world.below(names.autoscale_drawer(call.subscription))
    if call.group:
        found = [item for item in found if item.id.split("/")[4].lower() == call.group.lower()]
    skip, size = call.number("$skip", 0), cloud.settings.behaviour.autoscale_page_size
    answer: Json = {"value": [documents.shown(item) for item in found[skip : skip + size]], "nextLink": None}
    if skip + size < len(found):
        group = f"/resourceGroups/{call.group}" if call.group else ""
        path = f"/subscriptions/{call.subscription}{group}/providers/{names.AUTOSCALE_TYPE}"
        answer["nextLink"] = f"{call.base}{path}?{urlencode({**call.query, '$skip': str(skip + size)})}"
    return reply(answer)


def get(cloud: Cloud, call: Call) -> Reply:
    found = cloud.control.world.find(_id(call))
    if found is None:
        raise not_found(_id(call))
    return reply(documents.shown(found))


def put(cloud: Cloud, call: Call) -> Reply:
    """Create or replace. The target must be there, and can have one setting only."""
    document = documents.checked(call.body())
    world, found = cloud.control.world, cloud.control.world.find(_id(call))
    target = world.find(documents.target(document))
    if target is None or target.kind != "deployment":
        raise ArmError(
            400,
            "TargetResourceNotFound",
            f"The target '{documents.target(document)}' was not found. The setting was not written.",
        )
    _refuse_second(cloud, call, found, target)
    kept = found.id if found is not None else _id(call)
    cloud.control.write_now(call.write("put", "autoscale", kept, document), state="Succeeded")
    written = cloud.control.world.find(kept)
    if written is None:
        raise not_found(kept)
    return reply(documents.shown(written), 200 if found is not None else 201)


def delete(cloud: Cloud, call: Call) -> Reply:
    found = cloud.control.world.find(_id(call))
    if found is None:
        return Reply(204)
    cloud.control.write_now(call.write("delete", "autoscale", found.id, None))
    return Reply(200)


def _id(call: Call) -> str:
    return names.autoscale_id(call.subscription, call.group, call.named[0])


def _refuse_second(cloud: Cloud, call: Call, found: Resource | None, target: Resource) -> None:
    for other in cloud.control.world.below(names.autoscale_drawer(call.subscription)):
        same = names.key(documents.target(other.body)) == names.key(target.id)
        if same and (found is None or other.id != found.id):
            raise ArmError(
                409,
                "Conflict",
                f"'{target.id}' has the autoscale setting '{names.last(other.id)}' already, and can have one only.",
            )


_ONE = "autoscalesettings/*"
_READ = f"{names.AUTOSCALE_TYPE}/read"
ROUTES: Table = {
    at("GET", SUBSCRIPTION, "autoscalesettings"): Route(list_all, _READ),
    at("GET", GROUP, "autoscalesettings"): Route(list_all, _READ),
    at("GET", GROUP, _ONE): Route(get, _READ),
    at("PUT", GROUP, _ONE): Route(put, f"{names.AUTOSCALE_TYPE}/write"),
    at("DELETE", GROUP, _ONE): Route(delete, f"{names.AUTOSCALE_TYPE}/delete"),
}
