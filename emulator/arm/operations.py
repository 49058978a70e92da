"""mfeOperationsStatus and mfeOperationResults: how an operation goes, and what it left."""

from __future__ import annotations

from emulator.arm.call import Call, Reply, reply
from emulator.arm.routes import SUBSCRIPTION, Route, Table, at
from emulator.cloud import Cloud
from emulator.documents import operation_url
from emulator.errors import ArmError
from emulator.fold import Operation
from emulator.values import NO_TIME


def status(cloud: Cloud, call: Call) -> Reply:
    operation = _require(cloud, call)
    ended = operation.ended_at is not None
    document = {
        "id": f"{call.scope}",
        "name": call.named[1],
        "startTime": operation.begun_at,
        "endTime": operation.ended_at or NO_TIME,
        "percentComplete": 100.0 if ended else 0.0,
        "status": cloud.settings.behaviour.running_status,
    }
    if ended:
        document["status"] = "Succeeded" if operation.error is None else "Failed"
    if ended and operation.error is not None:
        document["error"] = operation.error
    return reply(document)


def results(cloud: Cloud, call: Call) -> Reply:
    """202 while it runs, then the resource; 204 when there is none left to show."""
    operation = _require(cloud, call)
    found = cloud.control.world.find(operation.resource)
    if operation.ended_at is None and found is not None:
        location = operation_url(
            found, operation.id, call.named[0], base=call.base, seed=cloud.settings.seed, results=True
        )
        return reply(None, 202, {"Location": location})
    if found is None:
        return Reply(204)
    if operation.verb == "regenerate_keys":
        return Reply(200)
    return Reply(body=cloud.views.document(found, call.base))


def _require(cloud: Cloud, call: Call) -> Operation:
    found = cloud.control.world.operations.get(call.named[1].rpartition(":")[2])
    if found is None:
        raise ArmError(404, "OperationNotFound", f"The operation '{call.named[1]}' was not found.")
    return found


ROUTES: Table = {
    at("GET", SUBSCRIPTION, "locations/*/mfeOperationsStatus/*"): Route(status, None),
    at("GET", SUBSCRIPTION, "locations/*/mfeOperationResults/*"): Route(results, None),
}
