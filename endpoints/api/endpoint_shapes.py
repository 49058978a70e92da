"""What answers say of endpoints, deployments and their history."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from endpoints.api.metric_shapes import BriefOut, brief
from endpoints.api.shapes import Shape, SplitOut, next_field
from endpoints.api.workspaces import FreshnessOut
from endpoints.inventory.selectors import FleetCounts, FleetRow
from endpoints.metrics.selectors import Brief

_JSON_STATE = "Azure's fields as the portal compares them, without keys and secrets."


class MarkOut(Shape):
    """Something that a person should notice."""

    code = serializers.CharField()
    severity = serializers.CharField(source="severity.word")
    label = serializers.CharField()  # type: ignore[assignment]  # the field of this name
    sentence = serializers.CharField()


class DeploymentBriefOut(Shape):
    """A deployment in a list of endpoints. `instance_count` null: Azure did not say."""

    name = serializers.CharField()
    provisioning_state = serializers.CharField()
    model = serializers.CharField()
    instance_type = serializers.CharField()
    instance_count = serializers.IntegerField(allow_null=True)


class EndpointItemOut(Shape):
    """An endpoint in a list, as Azure reported it at `read_at`."""

    workspace = serializers.CharField()
    environment = serializers.CharField()
    name = serializers.CharField()
    location = serializers.CharField()
    severity = serializers.CharField(source="severity.word")
    status = serializers.CharField()
    marks = MarkOut(many=True)
    provisioning_state = serializers.CharField()
    traffic = SplitOut()
    mirror_traffic = SplitOut()
    deployments = DeploymentBriefOut(many=True)
    owner = serializers.CharField()
    auth_mode = serializers.CharField()
    public_network_access = serializers.CharField()
    read_at = serializers.DateTimeField(allow_null=True)
    is_stale = serializers.BooleanField()
    unreadable_since = serializers.DateTimeField(allow_null=True)
    metrics = BriefOut()


def endpoint_item(row: FleetRow, figures: Brief) -> dict[str, Any]:
    """An `EndpointItemOut`. By hand: a serializer takes ten times as long for a list."""
    return {
        "workspace": row.workspace,
        "environment": row.environment,
        "name": row.name,
        "location": row.location,
        "severity": row.severity.word,
        "status": row.status,
        "marks": [
            {"code": one.code, "severity": one.severity.word, "label": one.label, "sentence": one.sentence}
            for one in row.marks
        ],
        "provisioning_state": row.provisioning_state,
        "traffic": row.traffic,
        "mirror_traffic": row.mirror_traffic,
        "deployments": [
            {
                "name": one.name,
                "provisioning_state": one.provisioning_state,
                "model": one.model,
                "instance_type": one.instance_type,
                "instance_count": one.instance_count,
            }
            for one in row.deployments
        ],
        "owner": row.owner,
        "auth_mode": row.auth_mode,
        "public_network_access": row.public_network_access,
        "read_at": row.read_at,
        "is_stale": row.is_stale,
        "unreadable_since": row.unreadable_since,
        "metrics": brief(figures),
    }


class CountsOut(Shape):
    """How many endpoints match, by severity; `attention` are those that somebody should look at."""

    total = serializers.IntegerField()
    attention = serializers.IntegerField()
    by_severity = serializers.DictField(child=serializers.IntegerField())


def counts_of(found: FleetCounts) -> dict[str, Any]:
    """A `CountsOut`."""
    return {"total": found.total, "attention": found.attention, "by_severity": found.by_severity}


class EndpointListOut(Shape):
    """A page of the fleet, worst first."""

    items = EndpointItemOut(many=True)
    next = next_field()
    counts = CountsOut()


class LinksOut(Shape):
    """The same object elsewhere."""

    studio = serializers.CharField()
    portal = serializers.CharField()
    monitor = serializers.CharField()


class DeploymentOut(Shape):
    """A deployment as Azure reported it."""

    name = serializers.CharField()
    arm_id = serializers.CharField()
    provisioning_state = serializers.CharField()
    weight = serializers.IntegerField(help_text="Percent of live traffic.")
    mirror_weight = serializers.IntegerField(help_text="Percent of traffic that is mirrored to it.")
    model = serializers.CharField()
    model_id = serializers.CharField()
    environment = serializers.CharField()
    environment_id = serializers.CharField()
    code = serializers.CharField()
    code_id = serializers.CharField()
    instance_type = serializers.CharField()
    instance_count = serializers.IntegerField(allow_null=True)
    azure_created_at = serializers.DateTimeField(allow_null=True)
    first_seen_at = serializers.DateTimeField()
    unreadable_since = serializers.DateTimeField(allow_null=True)
    unreadable_reason = serializers.CharField()
    state = serializers.JSONField(help_text=_JSON_STATE)
    links = LinksOut()


class DeploymentListOut(Shape):
    """The living deployments of an endpoint, those with most traffic first."""

    items = DeploymentOut(many=True)


class WriterOut(Shape):
    """A write in Azure's activity log. `ended_at` null: the log has no end of it."""

    caller = serializers.CharField(
        help_text="A person's name, or a program's id; empty where the log has none."
    )
    operation = serializers.CharField()
    began_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    event_id = serializers.CharField()
    correlation_id = serializers.CharField()
    client_request_id = serializers.CharField()
    app_id = serializers.CharField()
    object_id = serializers.CharField()


class AttributionOut(Shape):
    """Who made a drift, as far as the activity log says, which does not tell what was written.

    `waiting`: the log is minutes behind. `unknown`: it could not be read. `final` false: more may come.
    """

    found = serializers.ChoiceField(choices=["one", "several", "none", "unknown", "waiting"])
    reason = serializers.CharField()
    final = serializers.BooleanField()
    known_at = serializers.DateTimeField(allow_null=True)
    candidates = WriterOut(many=True)


class DriftOut(Shape):
    """A change that nobody here ordered; it happened between `earliest` (null: unknown) and `latest`.

    `attribution` null: nobody looked for it in the activity log.
    """

    kind = serializers.CharField()
    deployment = serializers.CharField()
    before = serializers.JSONField()
    after = serializers.JSONField()
    earliest = serializers.DateTimeField(allow_null=True)
    latest = serializers.DateTimeField()
    known_at = serializers.DateTimeField()
    modified_by = serializers.CharField()
    attribution = AttributionOut(allow_null=True)


class EndpointOut(Shape):
    """One endpoint. `deleted_at` set: this is what it was when it was last read."""

    workspace = serializers.CharField()
    environment = serializers.CharField()
    name = serializers.CharField()
    arm_id = serializers.CharField()
    location = serializers.CharField()
    kind = serializers.CharField()
    severity = serializers.CharField(source="severity.word")
    status = serializers.CharField()
    marks = MarkOut(many=True)
    provisioning_state = serializers.CharField()
    traffic = SplitOut()
    mirror_traffic = SplitOut()
    scoring_uri = serializers.CharField()
    auth_mode = serializers.CharField()
    public_network_access = serializers.CharField()
    tags = serializers.DictField(child=serializers.CharField())
    owner = serializers.CharField()
    azure_created_at = serializers.DateTimeField(allow_null=True)
    first_seen_at = serializers.DateTimeField()
    deleted_at = serializers.DateTimeField(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)
    unreadable_since = serializers.DateTimeField(allow_null=True)
    state = serializers.JSONField(help_text=_JSON_STATE)
    state_hash = serializers.CharField()
    deployments = DeploymentOut(many=True)
    open_drift = DriftOut(allow_null=True)
    freshness = FreshnessOut()
    links = LinksOut()


class FieldChangeOut(Shape):
    """One field that moved, before and after in words; empty stands for absent."""

    field = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the field of this name
    before = serializers.CharField()
    after = serializers.CharField()


class HistoryItemOut(Shape):
    """A state that began between `earliest` (null: unknown) and `latest`. `cause`: "change:42", "drift" or ""."""

    deployment = serializers.CharField(help_text="Empty for the endpoint itself.")
    earliest = serializers.DateTimeField(allow_null=True)
    latest = serializers.DateTimeField()
    known_at = serializers.DateTimeField()
    cause = serializers.CharField()
    modified_by = serializers.CharField()
    azure_request_id = serializers.CharField()
    is_first = serializers.BooleanField()
    is_deletion = serializers.BooleanField()
    changes = FieldChangeOut(many=True)
    attribution = AttributionOut(allow_null=True, help_text="Of drift; null where nobody looked.")


class HistoryOut(Shape):
    """What an endpoint and its deployments were, newest first."""

    items = HistoryItemOut(many=True)
    next = next_field()
