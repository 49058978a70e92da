"""The call itself. Intent, call, answer: three steps, each of which may be the last one of this process."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from django.conf import settings

from endpoints.azure_gateway import errors
from endpoints.azure_gateway.client import Azure
from endpoints.azure_gateway.records import Accepted, EndpointRecord
from endpoints.changes.decide import Split
from endpoints.changes.executor import attempts, outcomes
from endpoints.changes.executor.crash import crashpoint
from endpoints.changes.executor.database import in_database
from endpoints.changes.executor.jobs import Job, scaled
from endpoints.changes.executor.reading import LONGEST_PAUSE
from endpoints.changes.plan import DELETES
from endpoints.changes.readable import GONE
from endpoints.changes.samesetting import whole


async def put(azure: Azure, job: Job, record: EndpointRecord, note: str = "") -> None:
    """Order the target: the document as just read with another split, or what the step orders beside the split.

    Every answer is written down, with the `note` on what is overwritten.
    """
    crashpoint("before_intent")
    deadline = time.monotonic() + settings.OPSPORTAL.remote_call_seconds
    sent = await in_database(attempts.open_attempt, job, note)
    crashpoint("after_intent")
    try:
        answer = await _send(azure, job, record, sent, deadline)
    except errors.GatewayError as error:
        await in_database(outcomes.refused, job, sent, _refusal(error), fatal=_fatal(job, error))
        return
    crashpoint("after_put")
    await in_database(outcomes.accepted, job, sent, answer, note)
    crashpoint("during_operation")


async def _send(
    azure: Azure, job: Job, record: EndpointRecord, sent: attempts.Sent, deadline: float
) -> Accepted:
    """One deadline for everything from the intent on: whoever takes over counts on it."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise errors.Unreachable("This process was held up for too long; the call was not sent.")
    mirror = job.facts.target.mirror
    keeps_mirror = mirror == Split.of({}, record.mirror_traffic).mirror
    try:
        async with asyncio.timeout(left):
            crashpoint("at_the_wire")
            if job.step.verb != "put_split":
                return await _send_besides(azure, job, record, sent.request_id)
            return await azure.put_endpoint_split(
                record.raw,
                traffic=job.facts.target.live,
                mirror_traffic=None if keeps_mirror else mirror,
                request_id=sent.request_id,
            )
    except TimeoutError:
        limit = settings.OPSPORTAL.remote_call_seconds
        raise errors.Unreachable(f"Azure did not answer within {limit:g} s.", applied_unknown=True) from None


async def _send_besides(azure: Azure, job: Job, record: EndpointRecord, request_id: str) -> Accepted:
    """What a step orders beside the split."""
    target, step = job.target_arm_id, job.step
    if step.verb == "patch_capacity":
        return await azure.patch_deployment_capacity(target, step.instances, request_id=request_id)
    if step.verb == "put_autoscale" and step.document is not None:
        return await _put_setting(azure, target, whole(step.document, location=record.location), request_id)
    if step.verb == "put_autoscale":
        return await azure.delete_autoscale(target, request_id=request_id)
    if step.verb == "delete_deployment":
        return await azure.delete_deployment(target, request_id=request_id)
    if step.verb == "delete_endpoint":
        return await azure.delete_endpoint(target, request_id=request_id)
    raise AssertionError(f"nothing is sent for {step.verb!r}")


async def _put_setting(azure: Azure, arm_id: str, document: dict[str, Any], request_id: str) -> Accepted:
    """A document that can't be a setting is refused on our side, as Azure would."""
    try:
        return await azure.put_autoscale(arm_id, document, request_id=request_id)
    except ValueError as error:
        raise errors.Rejected(str(error)) from error


def _refusal(error: errors.GatewayError) -> attempts.Refusal:
    return attempts.Refusal(
        unknown=error.applied_unknown,
        status=error.status,
        text=error.message,
        azure_request_id=error.azure_request_id,
        wait=pause_after(error),
    )


def _fatal(job: Job, error: errors.GatewayError) -> str:
    """Why the same call will never succeed; "" when it may. A failed precondition (412) may pass."""
    if isinstance(error, errors.NotFoundInAzure):
        return _not_found(job)
    if isinstance(error, errors.Rejected) and error.status != 412:
        return f"Azure refused: {error.message}" if error.status else error.message
    return ""


def _not_found(job: Job) -> str:
    """What was to be deleted may well be gone: the next reading says."""
    if job.step.verb in DELETES:
        return ""
    if job.step.verb == "put_split":
        return GONE
    return f"{job.step.deployment or 'The deployment'} no longer exists in Azure; nothing was created again."


def pause_after(error: errors.GatewayError) -> float | None:
    """Seconds before the next call, where the answer suggests them; None backs off by the number of calls."""
    if isinstance(error, errors.Throttled):
        return None if error.retry_after is None else min(error.retry_after, LONGEST_PAUSE)
    if isinstance(error, errors.Busy):
        return scaled(3.0)
    if isinstance(error, (errors.Forbidden, errors.Unauthenticated)):
        return scaled(15.0)
    return None
