"""Compare one reading of a workspace with the mirror, and take in only what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog
from django.db import DataError, OperationalError
from psycopg.errors import LockNotAvailable

from endpoints.azure_gateway.fleet import EndpointReading, WorkspaceReading
from endpoints.azure_gateway.records import DeploymentRecord, EndpointRecord, Listing, Reading
from endpoints.core.ids import arm_key
from endpoints.inventory import normalise
from endpoints.inventory.models import Deployment, Endpoint
from endpoints.inventory.services.deployments import observe_deployments
from endpoints.inventory.services.endpoints import observe_endpoint, observe_endpoint_deleted
from endpoints.inventory.services.first_reading import take_whole
from endpoints.inventory.services.observation import Answer
from endpoints.inventory.services.unreadable import Problems

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KnownDeployment:
    state_hash: str
    created_at: datetime | None


@dataclass(slots=True)
class Known:
    """What the mirror holds of an endpoint, as far as it takes to see that nothing moved."""

    id: int
    arm_id: str
    state_hash: str
    created_at: datetime | None
    is_readable: bool
    is_listed: bool
    deployments: dict[str, KnownDeployment] = field(default_factory=dict)


@dataclass(slots=True)
class Absorbed:
    """What a reading came to. `stale` are endpoints whose answers could not be ordered: read them again."""

    endpoints: int = 0
    deployments: int = 0
    changes: int = 0
    problems: Problems = field(default_factory=Problems)
    stale: list[str] = field(default_factory=list)


def absorb(workspace_id: int, reading: WorkspaceReading, keep_claim: Callable[[], None]) -> Absorbed:
    """Take a whole reading in. An item that fails is set aside, and nothing else suffers from it.

    `keep_claim` is called between items, because a first reading of thousands takes longer than a claim lasts.
    """
    if (count := take_whole(workspace_id, reading)) is not None:
        return Absorbed(len(reading.endpoints), count - len(reading.endpoints), count)
    known = load_known(workspace_id)
    result = Absorbed()
    for item in reading.unreadable:
        result.problems.add(item.item, item.reason)
    seen: set[str] = set()
    for one in reading.endpoints:
        keep_claim()
        seen.add(one.endpoint.name.lower())
        take_in = partial(_endpoint, workspace_id, known, one, reading, result)
        _guarded(result, one.endpoint.arm_id, take_in)
    if result.problems.names_all:
        answer = Answer(reading.request_began, reading.response_ended, reading.azure_request_id)
        for name in known.keys() - seen - result.problems.endpoint_names:
            _guarded(result, known[name].arm_id, partial(_absent, known[name], answer, result))
    result.problems.settle(known)
    return result


def load_known(workspace_id: int) -> dict[str, Known]:
    """Two reads for a whole workspace, by lower-case name."""
    endpoints = Endpoint.objects.filter(workspace_id=workspace_id, deleted_at=None).values_list(
        "pk",
        "name_key",
        "arm_id",
        "state_hash",
        "azure_created_at",
        "unreadable_since",
        "deployments_seen_at",
    )
    known = {
        name: Known(pk, arm_id, state, created, unreadable is None, listed is not None)
        for pk, name, arm_id, state, created, unreadable, listed in endpoints
    }
    by_id = {one.id: one for one in known.values()}
    deployments = Deployment.objects.filter(
        endpoint__workspace_id=workspace_id, endpoint__deleted_at=None, deleted_at=None
    ).values_list("endpoint_id", "name_key", "state_hash", "azure_created_at")
    for endpoint_id, name, state, created in deployments:
        if endpoint_id in by_id:  # else its endpoint came between the two reads
            by_id[endpoint_id].deployments[name] = KnownDeployment(state, created)
    return known


def observe_again(
    workspace_id: int, endpoint: Reading[EndpointRecord], deployments: Listing[DeploymentRecord]
) -> bool:
    """Second answers for an endpoint whose first could not be ordered. True when these could."""
    observation = observe_endpoint(workspace_id=workspace_id, reading=endpoint)
    outcome = observe_deployments(
        endpoint_id=observation.endpoint_id,
        records=deployments.items,
        answer=Answer.to(deployments),
        is_complete=not deployments.unreadable,
    )
    return not observation.stale and not outcome.stale


def _endpoint(
    workspace_id: int,
    known: dict[str, Known],
    one: EndpointReading,
    whole: WorkspaceReading,
    result: Absorbed,
) -> None:
    record = one.endpoint
    result.endpoints += 1
    mirrored = known.get(record.name.lower())
    if mirrored is None or not _is_same(mirrored, normalise.endpoint(record)):
        reading = Reading(record, whole.request_began, whole.response_ended, whole.azure_request_id)
        observation = observe_endpoint(workspace_id=workspace_id, reading=reading)
        result.changes += observation.changed
        if observation.stale:
            result.stale.append(record.arm_id)
        if mirrored is None or mirrored.id != observation.endpoint_id:
            mirrored = Known(observation.endpoint_id, record.arm_id, "", None, True, False)
    if one.deployments is not None:
        _deployments(mirrored, record, one.deployments, result)


def _deployments(
    mirrored: Known, record: EndpointRecord, listing: Listing[DeploymentRecord], result: Absorbed
) -> None:
    result.deployments += len(listing)
    if mirrored.is_listed and not listing.unreadable and _are_same(mirrored, listing):
        return
    outcome = observe_deployments(
        endpoint_id=mirrored.id,
        records=listing.items,
        answer=Answer.to(listing),
        is_complete=not listing.unreadable,
    )
    result.changes += outcome.changes
    result.stale += [record.arm_id] if outcome.stale else []
    for item, reason in outcome.unreadable:
        result.problems.add(item, reason)


def _absent(known: Known, answer: Answer, result: Absorbed) -> None:
    observation = observe_endpoint_deleted(endpoint_id=known.id, answer=answer)
    result.changes += observation.changed


def _is_same(known: Known | KnownDeployment, seen: normalise.Seen) -> bool:
    return known.state_hash == seen.state_hash and seen.created_at in (known.created_at, None)


def _are_same(mirrored: Known, listing: Iterable[DeploymentRecord]) -> bool:
    names = set()
    for record in listing:
        name = record.name.lower()
        names.add(name)
        known = mirrored.deployments.get(name)
        if known is None or not _is_same(known, normalise.deployment(record)):
            return False
    return names == mirrored.deployments.keys()


def _guarded(result: Absorbed, arm_id: str, take_in: Callable[[], None]) -> None:
    """What can't be kept (a text that the database refuses, a number beyond its range) spoils only itself."""
    try:
        take_in()
    except (ValueError, DataError) as error:
        log.warning("item_not_kept", item=arm_key(arm_id), cause=type(error).__name__)
        result.problems.add(arm_id, f"it can't be kept ({type(error).__name__})")
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        result.problems.add(arm_id, "somebody else was writing it all the time")
