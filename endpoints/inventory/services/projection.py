"""The newest state in columns, and the marks that follow from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from endpoints.inventory import marks
from endpoints.inventory.models import Deployment, Endpoint
from endpoints.inventory.normalise import Seen
from endpoints.inventory.services.observation import Answer


def endpoint_columns(row: Endpoint, seen: Seen, answer: Answer) -> None:
    """Put an accepted state into an endpoint's columns. Saves nothing."""
    state = seen.state
    _shared_columns(row, seen, answer)
    row.traffic = state["traffic"]
    row.mirror_traffic = state["mirror_traffic"]
    row.scoring_uri = state.get("scoring_uri", "")
    row.auth_mode = state.get("auth_mode", "")
    row.public_network_access = state.get("public_network_access", "")
    row.location = state.get("location", "")
    row.kind = state.get("kind", "")
    row.tags = state.get("tags", {})
    row.owner = marks.owner_of(row.tags)


def deployment_columns(row: Deployment, seen: Seen, answer: Answer) -> None:
    """Put an accepted state into a deployment's columns. Saves nothing."""
    state = seen.state
    _shared_columns(row, seen, answer)
    row.model = state.get("model", "")
    row.environment = state.get("environment", "")
    row.code_id = state.get("code_id", "")
    row.instance_type = state.get("instance_type", "")
    row.instance_count = state.get("instance_count")


def _shared_columns(row: Endpoint | Deployment, seen: Seen, answer: Answer) -> None:
    row.name, row.name_key = seen.name, seen.name.lower()
    row.arm_id, row.arm_key = seen.arm_id, seen.key
    row.azure_created_at = seen.created_at or row.azure_created_at
    row.state_hash = seen.state_hash
    row.provisioning_state = seen.state.get("provisioning_state", "")
    row.deleted_at = None
    was_read(row, answer)


def was_read(row: Endpoint | Deployment, answer: Answer) -> None:
    """An accepted answer confirms what is on record. Saves nothing."""
    row.last_read_began = max(row.last_read_began, answer.began)
    row.last_read_ended = max(row.last_read_ended, answer.ended)


def refresh_marks(endpoint: Endpoint) -> None:
    """Find an endpoint's marks anew. Saves nothing."""
    living = Deployment.objects.filter(endpoint=endpoint, deleted_at=None).order_by("name_key")
    set_marks(endpoint, living.only("name", "provisioning_state", "instance_count"))


def set_marks(endpoint: Endpoint, deployments: Iterable[Deployment]) -> None:
    """`refresh_marks` with the living deployments at hand."""
    own = [asdict(mark) for mark in marks.find(_facts(endpoint, deployments))]
    outer = [mark for found in endpoint.outer_marks.values() for mark in found]
    endpoint.marks = sorted(own + outer, key=lambda mark: -mark["severity"])
    endpoint.severity = max((mark["severity"] for mark in endpoint.marks), default=marks.Severity.QUIET)


def _facts(endpoint: Endpoint, deployments: Iterable[Deployment]) -> marks.EndpointFacts:
    listed = None
    if endpoint.deployments_seen_at is not None:
        listed = tuple(
            marks.DeploymentFacts(row.name, row.provisioning_state, row.instance_count) for row in deployments
        )
    return marks.EndpointFacts(
        provisioning_state=endpoint.provisioning_state,
        auth_mode=endpoint.auth_mode,
        public_network_access=endpoint.public_network_access,
        owner=endpoint.owner,
        traffic=endpoint.traffic,
        mirror_traffic=endpoint.mirror_traffic,
        deployments=listed,
        drift=endpoint.open_drift.kind if endpoint.open_drift else "",
        unreadable_reason=endpoint.unreadable_reason if endpoint.unreadable_since else "",
    )
