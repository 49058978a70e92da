"""A past for passports: an endpoint whose every state, reading and minute is written at a time of the test's choice."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from endpoints.access.models import Workspace
from endpoints.challenges.models import LogReading
from endpoints.challenges.recorded import Source
from endpoints.challenges.seen import SeenRow
from endpoints.challenges.selectors import lookup
from endpoints.challenges.services import take
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment, DeploymentRevision, Endpoint, EndpointRevision, SyncRun
from tests.challenges.recording import guid, said

_numbers = itertools.count(1)
MODEL = "azureml://registries/fraud/models/risk/versions/{version}"
ENVIRONMENT = "azureml://registries/fraud/environments/sklearn/versions/3"


@dataclass
class Past:
    """Times are minutes since `start`, a whole minute some hours ago; what is written was known when it was read."""

    workspace: Workspace
    name: str = "checkout-risk"
    start: datetime = field(init=False)
    endpoint: Endpoint = field(init=False)

    def __post_init__(self) -> None:
        self.start = db_now().astimezone(UTC).replace(second=0, microsecond=0) - timedelta(hours=6)
        arm_id = f"{self.workspace.arm_id}/onlineEndpoints/{self.name}"
        self.endpoint = Endpoint.objects.create(
            workspace=self.workspace, name=self.name, name_key=self.name, **self._mirrored(arm_id, 0)
        )

    def at(self, minutes: float) -> datetime:
        return self.start + timedelta(minutes=minutes)

    def split(
        self,
        live: Mapping[str, int],
        *,
        earliest: float | None,
        latest: float,
        mirror: Mapping[str, int] | None = None,
        cause: str = "",
        known: float | None = None,
        **more: Any,
    ) -> EndpointRevision:
        """A state of the endpoint that began between two minutes."""
        return EndpointRevision.objects.create(
            endpoint=self.endpoint,
            state={"traffic": dict(live), "mirror_traffic": dict(mirror or {})} | more,
            cause=cause,
            **self._revised(earliest, latest, known),
        )

    def deployment(
        self,
        name: str,
        version: int,
        *,
        earliest: float | None = None,
        latest: float = 0,
        known: float | None = None,
        created: float | None = None,
    ) -> Deployment:
        """A deployment with one state; another of the same name must have been deleted before."""
        arm_id = f"{self.endpoint.arm_id}/deployments/{name}"
        row = Deployment.objects.create(
            endpoint=self.endpoint, name=name, name_key=name.lower(), **self._mirrored(arm_id, latest)
        )
        if created is not None:
            Deployment.objects.filter(pk=row.pk).update(azure_created_at=self.at(created))
        self.built(row, version, earliest=earliest, latest=latest, known=known)
        return row

    def built(
        self,
        row: Deployment,
        version: int,
        *,
        earliest: float | None,
        latest: float,
        known: float | None = None,
        deleted: bool = False,
    ) -> None:
        """Another state of a deployment; `deleted`: that it is gone."""
        state = {
            "model": MODEL.format(version=version),
            "environment": ENVIRONMENT,
            "code_id": f"azureml:scoring:{version}",
            "instance_type": "Standard_DS3_v2",
        }
        DeploymentRevision.objects.create(
            deployment=row, state=state, deleted=deleted, **self._revised(earliest, latest, known)
        )
        if deleted:
            Deployment.objects.filter(pk=row.pk).update(deleted_at=self.at(latest))

    def read(self, *minutes: float, unreadable: bool = False) -> None:
        """Readings of the whole workspace that found it as the mirror has it."""
        item = [{"item": self.endpoint.arm_id, "reason": "A malformed item."}] if unreadable else []
        for minute in minutes:
            began, ended = self.at(minute), self.at(minute) + timedelta(seconds=1)
            SyncRun.objects.create(
                workspace=self.workspace,
                trigger="timer",
                outcome="ok",
                started_at=began,
                ended_at=ended,
                reads_began=began,
                reads_ended=ended,
                cadence_seconds=30,
                unreadable=item,
            )

    def log(self, since: float, until: float, outcome: str = "read", reason: str = "") -> None:
        LogReading.objects.create(
            endpoint_id=self.endpoint.pk,
            since=self.at(since),
            until=self.at(until),
            outcome=outcome,
            reason=reason,
            known_at=self.at(until),
        )

    def request(self, minute: float, *, source: Source = Source.CALLER, **fields: Any) -> SeenRow:
        """A request as one source says it was, and its record."""
        given = {"request_id": guid(next(_numbers))} | fields
        take([said(self.endpoint.pk, self.at(minute), **given)], source=source)
        (row,) = lookup(given["request_id"], workspace_ids=None).found
        return row

    def _mirrored(self, arm_id: str, minute: float) -> dict[str, Any]:
        return {
            "arm_id": arm_id,
            "arm_key": arm_id.lower(),
            "first_seen_at": self.at(minute),
            "state_hash": "0" * 64,
            "last_read_began": self.at(minute),
            "last_read_ended": self.at(minute),
        }

    def _revised(self, earliest: float | None, latest: float, known: float | None) -> dict[str, Any]:
        return {
            "earliest": None if earliest is None else self.at(earliest),
            "latest": self.at(latest),
            "known_at": self.at(latest if known is None else known),
            "state_hash": "0" * 64,
        }
