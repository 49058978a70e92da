"""Reads metrics: of up to 50 resources of one region at once from Azure Monitor's data plane, or of one by ARM.

The data plane has addresses, tokens and budgets of its own and may not serve everyone: BatchRefused then sends
callers to the single call, which needs less but spends from the budget that all reads of Azure share.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from endpoints.azure_gateway import arm, metrics_codec
from endpoints.azure_gateway.errors import BatchRefused, GatewayError, Malformed
from endpoints.azure_gateway.metrics_codec import Parsed
from endpoints.azure_gateway.records import ENDPOINT_METRICS, MetricQuery, MetricsReading
from endpoints.azure_gateway.settings import CloudSettings
from endpoints.azure_gateway.wire import Answer, Wire
from endpoints.core.ids import arm_key

_MOST_RESOURCES = 50
# 403 is also what a subscription gets in which Microsoft.Insights is not registered.
_REFUSALS = frozenset({403, 404, 405, 501})


async def query_batch(
    wire: Wire,
    cloud: CloudSettings,
    resource_ids: Sequence[str],
    query: MetricQuery,
    *,
    region: str,
    urgent: bool,
) -> MetricsReading:
    """Metrics of 1 to 50 endpoints, or deployments, of one subscription and region."""
    paths = _paths(resource_ids, query)
    subscription = _one_subscription(paths)
    base = cloud.metrics_at(region)
    if not base:
        raise BatchRefused(f"{cloud.name} names no data plane for metrics; nothing was sent.")
    options = {
        "starttime": _moment(query.since),
        "endtime": _moment(query.until),
        **_options(query),
        "metricnames": ",".join(query.names),
        **({"filter": _filter(query)} if query.dimensions else {}),
    }
    url = wire.url(f"/subscriptions/{subscription}/metrics:getBatch", arm.METRICS, options, base=base)
    try:
        answer = await wire.query_metrics(
            base, url, {"resourceids": paths}, budget=f"{subscription}, {region}", urgent=urgent
        )
    except GatewayError as error:
        if _refused(error):
            raise _refusal(error) from error
        raise
    document = answer.document("metrics")
    if isinstance(document, str):
        document = _twice_encoded(document, answer)
    return _reading(answer, metrics_codec.batch(document, paths, query))


async def list_one(wire: Wire, resource_id: str, query: MetricQuery, *, urgent: bool) -> MetricsReading:
    """Metrics of one endpoint or deployment, by ARM."""
    (path,) = _paths((resource_id,), query)
    options = {
        "timespan": f"{_moment(query.since)}/{_moment(query.until)}",
        **_options(query),
        "metricnames": ",".join(query.names),
        **({"$filter": _filter(query)} if query.dimensions else {}),
    }
    url = wire.url(f"{path}/providers/Microsoft.Insights/metrics", arm.METRICS, options)
    answer = await wire.read(url, urgent=urgent)
    return _reading(answer, metrics_codec.single(answer.document(path), path, query))


def _options(query: MetricQuery) -> dict[str, str]:
    """What both calls name alike."""
    return {
        "interval": "PT1M",
        "metricnamespace": query.namespace,
        "aggregation": ",".join(query.aggregations),
        "top": str(query.top),
    }


def _filter(query: MetricQuery) -> str:
    return " and ".join(f"{name} eq '*'" for name in query.dimensions)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _paths(resource_ids: Sequence[str], query: MetricQuery) -> list[str]:
    """The ids, each once, if all are of the kind that the query is about."""
    kind = "endpoint" if query.namespace == ENDPOINT_METRICS else "deployment"
    paths = list({arm_key(resource_id): arm.path(kind, resource_id) for resource_id in resource_ids}.values())
    if not 1 <= len(paths) <= _MOST_RESOURCES:
        raise ValueError(
            f"Metrics of {len(paths)} resources can't be asked at once: 1 to {_MOST_RESOURCES} can."
        )
    return paths


def _one_subscription(paths: Sequence[str]) -> str:
    subscriptions = {arm.subscription_of(path) for path in paths}
    if len(subscriptions) > 1:
        raise ValueError("Metrics of resources in different subscriptions can't be asked at once.")
    return subscriptions.pop()


def _refused(error: GatewayError) -> bool:
    # Whoever may read metrics of all resources but not of the subscription gets a 401, and so does a bad
    # token, which a new one heals: the code tells them apart.
    return error.status in _REFUSALS or (error.status == 401 and "token" not in error.code.lower())


def _refusal(error: GatewayError) -> BatchRefused:
    said = f"The data plane of metrics does not serve this query. {error.message}"
    return BatchRefused(said, status=error.status, code=error.code, ids=error.ids)


def _twice_encoded(text: str, answer: Answer) -> Any:
    """The service was seen to send its document as a text of JSON within JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("metrics", "the answer is not JSON", status=answer.status, ids=answer.ids) from None


def _reading(answer: Answer, parsed: Parsed) -> MetricsReading:
    return MetricsReading(
        series=parsed.series,
        unreadable=parsed.unreadable,
        truncated=parsed.truncated,
        request_began=answer.request_began,
        response_ended=answer.response_ended,
        azure_request_id=answer.ids.azure_request_id,
        calls=1,
    )
