"""Ask deployments directly, past the split, and keep what came of it: outcome, time and shape, never the answer."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

import structlog
from asgiref.sync import async_to_sync
from django.db import transaction

from endpoints.access.policies import Action, Principal, require
from endpoints.audit.actors import SYSTEM_SYNC, Actor
from endpoints.audit.services import record
from endpoints.azure_gateway.client import connect
from endpoints.azure_gateway.errors import Forbidden, GatewayError, Unauthenticated
from endpoints.azure_gateway.records import EntraCredential, KeyFrom, ProbeAnswer
from endpoints.azure_gateway.settings import GatewaySettings
from endpoints.changes.models import Probe
from endpoints.changes.probing import Judged, judge
from endpoints.changes.selectors.probes import SampleView, sample_of
from endpoints.changes.services.people import visible_endpoint, workspace_slug
from endpoints.changes.services.sample import PROBE_ENDPOINT
from endpoints.changes.verdict import Outcome
from endpoints.core.clock import Clock
from endpoints.core.errors import Conflict
from endpoints.core.ids import ref
from endpoints.dispatch import after_commit, db_now
from endpoints.inventory.connection import gateway_settings
from endpoints.inventory.dbclock import DatabaseClock
from endpoints.inventory.models import Endpoint
from endpoints.inventory.selectors import deployment_states, endpoint_facts

log = structlog.get_logger(__name__)

ENTRA = "aadtoken"


class Probing(Protocol):
    """The part of the gateway that is needed here."""

    async def probe(
        self, scoring_uri: str, deployment: str, body: bytes, *, credential: EntraCredential | KeyFrom
    ) -> ProbeAnswer: ...


class Connecting(Protocol):
    """Opens a connection to Azure."""

    def __call__(
        self, settings: GatewaySettings, *, clock: Clock
    ) -> AbstractAsyncContextManager[Probing]: ...


@dataclass(frozen=True, slots=True)
class _Told:
    """One probe's end, as it is stored."""

    judged: Judged
    status: int | None = None
    seconds: float | None = None


def probe_now(*, principal: Principal, endpoint_id: int) -> None:
    """Have every deployment of the endpoint asked, by a worker, as soon as one takes it."""
    endpoint = endpoint_facts(endpoint_id)
    visible_endpoint(principal, endpoint)
    slug = workspace_slug(endpoint.workspace_id)
    require(principal, Action.PROBE_SET, workspace_id=endpoint.workspace_id, own=True, workspace=slug)
    with transaction.atomic():
        if sample_of(endpoint_id) is None:
            raise Conflict("No sample request is set for this endpoint. Nobody was asked.")
        after_commit(PROBE_ENDPOINT, endpoint_id)
        record(
            actor=principal.actor,
            action="probe.asked",
            subject=ref("endpoint", endpoint_id),
            workspace_id=endpoint.workspace_id,
            endpoint=ref("endpoint", endpoint_id),
        )


def probe_endpoint(
    *, endpoint_id: int, settings: GatewaySettings | None = None, connecting: Connecting = connect
) -> int:
    """Ask every deployment that stands, and return how many were."""
    names = [state.name.lower() for state in deployment_states(endpoint_id)]
    return probe_deployments(
        endpoint_id=endpoint_id, deployments=names, settings=settings, connecting=connecting
    )


def probe_deployments(
    *,
    endpoint_id: int,
    deployments: list[str],
    change_id: int | None = None,
    settings: GatewaySettings | None = None,
    connecting: Connecting = connect,
) -> int:
    """Ask these one after another. How many were; 0 where no sample is set. Nothing is raised for what Azure says."""
    sample = sample_of(endpoint_id)
    if sample is None:
        return 0
    prober = _Prober(endpoint_id, sample, settings or gateway_settings(), connecting)
    for name in deployments:
        _keep(endpoint_id, name, sample, prober.ask(name), change_id)
    return len(deployments)


@dataclass(frozen=True, slots=True)
class _Prober:
    endpoint_id: int
    sample: SampleView
    settings: GatewaySettings
    connecting: Connecting

    def ask(self, deployment: str) -> _Told:
        row = Endpoint.objects.only("scoring_uri", "auth_mode").get(pk=self.endpoint_id)
        if why := self._impossible(row):
            return _Told(Judged(Outcome.INCONCLUSIVE, f"Not possible: {why}"))
        try:
            answer = async_to_sync(self._ask)(row.scoring_uri, deployment, DatabaseClock())
        except (Forbidden, Unauthenticated) as error:
            return _Told(Judged(Outcome.INCONCLUSIVE, f"Not possible: {error.message}"), error.status)
        except (GatewayError, ValueError) as error:
            log.warning("probe_without_answer", endpoint=self.endpoint_id, cause=type(error).__name__)
            return _Told(Judged(Outcome.ERROR, f"It could not be asked: {error}"))
        judged = judge(
            deployment,
            answer.status,
            answer.seconds,
            answer.deployment,
            answer.body,
            truncated=answer.truncated,
            error=answer.error,
        )
        return _Told(judged, answer.status, answer.seconds)

    def _impossible(self, row: Endpoint) -> str:
        if not row.scoring_uri:
            return "Azure has not said where this endpoint answers."
        if not self.sample.secret_uri and row.auth_mode.replace("_", "").lower() != ENTRA:
            return "the endpoint wants a key, and the sample names no secret that holds one."
        return ""

    async def _ask(self, scoring_uri: str, deployment: str, clock: Clock) -> ProbeAnswer:
        uri = self.sample.secret_uri
        async with self.connecting(self.settings, clock=clock) as azure:
            return await azure.probe(
                scoring_uri,
                deployment,
                self.sample.body.encode(),
                credential=KeyFrom(uri) if uri else EntraCredential(),
            )


@transaction.atomic
def _keep(
    endpoint_id: int,
    deployment: str,
    sample: SampleView,
    told: _Told,
    change_id: int | None,
    actor: Actor = SYSTEM_SYNC,
) -> None:
    Probe.objects.create(
        endpoint_id=endpoint_id,
        deployment=deployment,
        change_id=change_id,
        sample_id=sample.id,
        outcome=told.judged.outcome,
        status=told.status,
        seconds=told.seconds,
        shape=told.judged.shape,
        reason=told.judged.reason,
        at=db_now(),
    )
    record(
        actor=actor,
        action="probe.made",
        subject=ref("endpoint", endpoint_id),
        workspace_id=endpoint_facts(endpoint_id).workspace_id,
        endpoint=ref("endpoint", endpoint_id),
        after={
            "deployment": deployment,
            "outcome": told.judged.outcome.value,
            "status": told.status,
            "sample": sample.id,
            "change": change_id,
        },
    )
