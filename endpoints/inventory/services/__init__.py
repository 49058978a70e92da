"""Writes of the mirror: what was read (`observe_*`), what will be written (`expect_write`), and the sync."""

from endpoints.inventory.services.deployments import observe_deployment, observe_deployments
from endpoints.inventory.services.endpoints import observe_endpoint, observe_endpoint_deleted
from endpoints.inventory.services.expectations import (
    cancel_all_expected,
    cancel_expected,
    expect_write,
)
from endpoints.inventory.services.observation import Answer, Observation
from endpoints.inventory.services.outer_marks import set_outer_marks
from endpoints.inventory.services.sync import sync_shard
from endpoints.inventory.services.targets import request_sync

__all__ = [
    "Answer",
    "Observation",
    "cancel_all_expected",
    "cancel_expected",
    "expect_write",
    "observe_deployment",
    "observe_deployments",
    "observe_endpoint",
    "observe_endpoint_deleted",
    "request_sync",
    "set_outer_marks",
    "sync_shard",
]
