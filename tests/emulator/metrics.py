"""What the tests of metrics share: a call to the data plane, and series by their labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from emulator.monitor.dataplane import AUDIENCE
from tests.emulator.arm import PROD, Answer, Arm, answer

ENDPOINTS = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
DEPLOYMENTS = f"{ENDPOINTS}/deployments"
Series = dict[tuple[str, ...], dict[str, Any]]


@dataclass
class Metrics:
    """Calls of one identity to `metrics:getBatch` and to the list API."""

    arm: Arm

    async def batch(
        self, ids: list[str], region: str = "westeurope", subscription: str = PROD, **sent: Any
    ) -> Answer:
        """The refusal or the answer; `audience` and `body` replace what is usually sent."""
        token = self.arm.token(sent.pop("audience", AUDIENCE))
        body = sent.pop("body", {"resourceids": ids})
        query = {"api-version": "2024-02-01", "metricnamespace": ENDPOINTS, "interval": "PT1M", **sent}
        response = await self.arm.client.post(
            f"/metrics/{region}/subscriptions/{subscription}/metrics:getBatch",
            params=query,
            json=body,
            headers={"Authorization": f"Bearer {token}"},
        )
        return await answer(response)

    async def one(self, resource: str, metric: str, filter: str | None = None, **sent: Any) -> Series:
        """Points of one metric of one resource, by the values of its labels."""
        space = DEPLOYMENTS if "/deployments/" in resource else ENDPOINTS
        asked = {"metricnames": metric, "metricnamespace": space, "top": "1000", **sent}
        if filter is not None:
            asked["filter"] = filter
        found = await self.batch([resource], **asked)
        assert found.status == 200, found.body
        return series(found.body["values"][0]["value"][0])


def series(metric: dict[str, Any]) -> Series:
    return {
        tuple(item["value"] for item in one["metadatavalues"]): {
            point["timeStamp"]: point.get("average") for point in one["data"]
        }
        for one in metric["timeseries"]
    }
