"""Answers that begin a long-running operation, with the headers as recorded: no Retry-After on a PUT."""

from __future__ import annotations

from emulator.arm.call import Call, Reply, reply
from emulator.cloud import Cloud
from emulator.documents import operation_url
from emulator.errors import ArmError
from emulator.fold import Operation, Resource
from emulator.values import chance, correlation_id

_TIMEOUT = "PT30M"
_SIGNATURE_LENGTH = 3_000


def refuse_if_busy(cloud: Cloud, resource_id: str) -> None:
    """One operation per resource at a time."""
    running = cloud.control.running_on(resource_id)
    if running is None:
        return
    behaviour = cloud.settings.behaviour
    raise ArmError(
        behaviour.busy_status,
        behaviour.busy_code,
        f"Another operation on '{resource_id}' is in progress ({running.verb}, started {running.begun_at})."
        " Nothing was changed.",
    )


def created(cloud: Cloud, call: Call, resource: Resource, operation: Operation, *, new: bool) -> Reply:
    """The answer to a PUT: the document as requested, and where to ask how it goes."""
    headers = _headers(cloud, call, resource, operation)
    headers["Location"] = f"{call.base}{resource.id}?api-version={call.api_version}"
    status = 201 if new else cloud.settings.behaviour.update_status
    return reply(cloud.views.requested(resource, call.base), status, headers)


def accepted(cloud: Cloud, call: Call, resource: Resource, operation: Operation) -> Reply:
    """The answer to DELETE, PATCH and regenerateKeys: 202 with the body `null`."""
    headers = _headers(cloud, call, resource, operation)
    headers["Location"] = _url(cloud, call, resource, operation, results=True)
    seconds = cloud.settings.behaviour.patch_retry_after
    if seconds and call.method != "DELETE":
        headers["Retry-After"] = str(seconds)
    return reply(None, 202, headers)


def _headers(cloud: Cloud, call: Call, resource: Resource, operation: Operation) -> dict[str, str]:
    url = _url(cloud, call, resource, operation, results=False)
    if cloud.settings.behaviour.signed_operation_urls:
        url += _signature(operation.id)
    return {
        "Azure-AsyncOperation": url,
        "x-ms-async-operation-timeout": _TIMEOUT,
        "x-ms-correlation-request-id": correlation_id(operation.id),
    }


def at_once(cloud: Cloud, call: Call, resource: Resource) -> Reply:
    """The answer to a write that needs no operation."""
    headers = {"x-ms-correlation-request-id": correlation_id(cloud.control.world.last)}
    return Reply(body=cloud.views.document(resource, call.base), headers=headers)


def _url(cloud: Cloud, call: Call, resource: Resource, operation: Operation, *, results: bool) -> str:
    location = str(resource.body.get("location", ""))
    return operation_url(
        resource, operation.id, location, base=call.base, seed=cloud.settings.seed, results=results
    )


def _signature(operation: str) -> str:
    """As long as the real one: whoever stores or logs these URLs must cope with the length."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    start = int(chance(operation) * len(letters))
    filler = (letters[start:] + letters[:start]) * (_SIGNATURE_LENGTH // len(letters) + 1)
    return f"&t=639000000000000000&c={filler[:_SIGNATURE_LENGTH]}&s={filler[:342]}&h={filler[:43]}"
