"""What the emulator's tests share: ids of the small scenario, a clock that is moved by hand, signed-in requests."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from emulator.cloud import Cloud

PROD = "5b0a1c52-0000-4000-8000-000000000001"
TEST = "5b0a1c52-0000-4000-8000-000000000002"
_ML = "providers/Microsoft.MachineLearningServices"
PROD_WORKSPACE = f"/subscriptions/{PROD}/resourceGroups/rg-ml-prod/{_ML}/workspaces/mlw-prod-weu"
TEST_WORKSPACE = f"/subscriptions/{TEST}/resourceGroups/rg-ml-test/{_ML}/workspaces/mlw-test-neu"
CHECKOUT = f"{PROD_WORKSPACE}/onlineEndpoints/checkout-risk"
PHOTO = f"{PROD_WORKSPACE}/onlineEndpoints/photo-triage"
SHADOWED = f"{PROD_WORKSPACE}/onlineEndpoints/shadowed"
HOME_RECS = f"{TEST_WORKSPACE}/onlineEndpoints/home-recs"
EMPTY = f"{TEST_WORKSPACE}/onlineEndpoints/empty"

ROOT = Path(__file__).resolve().parents[2]
AZURE_FACTS = Path(os.environ.get("OPSPORTAL_AZURE_FACTS") or ROOT / "../shared/azure")
ENDPOINTS_VERSION = "2022-02-01-preview"
DEPLOYMENTS_VERSION = "2023-04-01-preview"


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]  # names in any spelling
    body: Any

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])

    @property
    def message(self) -> str:
        return str(self.body["error"]["message"])


@dataclass
class Arm:
    """ARM requests as the scenario's first identity, or as the one that `identity` names."""

    client: TestClient[Any, Any]
    cloud: Cloud
    clock: Clock
    identity: str = "opsportal"

    def token(self, resource: str = "https://management.azure.com") -> str:
        found = next(i for i in self.cloud.tokens.identities if i.name == self.identity)
        return self.cloud.tokens.issue(found, resource, 3600)[0]

    async def __call__(
        self, method: str, path: str, body: Any = None, *, version: str = ENDPOINTS_VERSION, **headers: str
    ) -> Answer:
        url = path if "?" in path else f"{path}?api-version={version}"
        sent = {"Authorization": f"Bearer {self.token()}"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return await answer(await self.client.request(method, url, json=body, headers=sent))

    async def get(self, path: str) -> Any:
        """The body of a GET that must succeed."""
        found = await self("GET", path)
        assert found.status == 200, found.body
        return found.body

    async def put_traffic(self, endpoint: str, traffic: dict[str, int], **properties: Any) -> Answer:
        """A read, changed and written back endpoint, as every client changes traffic."""
        document = await self.get(endpoint)
        document["properties"].update({"traffic": traffic, **properties})
        return await self("PUT", endpoint, document)


async def answer(response: ClientResponse) -> Answer:
    text = await response.text()
    is_json = "json" in response.headers.get("Content-Type", "") and text
    return Answer(response.status, response.headers, await response.json() if is_json else text)
