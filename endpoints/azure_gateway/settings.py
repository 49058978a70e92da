"""What the gateway needs to know: which cloud, which identity, how patient.

A sovereign cloud, or any other place that speaks Azure's APIs, differs from the public one by these values
only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from endpoints.azure_gateway import arm


class CredentialKind(StrEnum):
    """How the process proves who it is. Chosen by a person: guessing chains are slow and surprising."""

    MANAGED_IDENTITY = "managed_identity"
    WORKLOAD_IDENTITY = "workload_identity"
    ENVIRONMENT = "environment"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """One Azure cloud. URLs have no trailing slash. `ca_bundle` is a PEM file, "" for the system's own.

    `metrics` is where metrics of many resources are read, with {region} for the region, `logs` where Log
    Analytics is queried, `prices` where the public retail price list is. `key_vault_suffix` and
    `scoring_suffix` end the hosts of vaults and of scoring URIs: host, or host:port. "" where there is no such
    place: then nothing is sent there.
    """

    name: str = "AzureCloud"
    resource_manager: str = "https://management.azure.com"
    authority: str = "https://login.microsoftonline.com"
    portal: str = "https://portal.azure.com"
    studio: str = "https://ml.azure.com"
    storage_suffix: str = "core.windows.net"
    registry_discovery: str = "https://eastus.api.azureml.ms"
    metrics: str = "https://{region}.metrics.monitor.azure.com"
    metrics_audience: str = "https://metrics.monitor.azure.com"
    logs: str = "https://api.loganalytics.io"
    logs_audience: str = "https://api.loganalytics.io"
    prices: str = "https://prices.azure.com"
    key_vault_suffix: str = "vault.azure.net"
    key_vault_audience: str = "https://vault.azure.net"
    scoring_suffix: str = "inference.ml.azure.com"
    scoring_audience: str = "https://ml.azure.com"
    audience: str = ""
    ca_bundle: str = ""

    def __post_init__(self) -> None:
        if not self.resource_manager.startswith("https://"):
            raise ValueError(
                f"The resource manager's address {self.resource_manager!r} must start with https://"
            )
        if self.metrics and not (self.metrics.startswith("https://") and "{region}" in self.metrics):
            raise ValueError(
                f"The address of metrics {self.metrics!r} must start with https:// and contain {{region}}"
            )
        if self.logs and not self.logs.startswith("https://"):
            raise ValueError(f"The address of logs {self.logs!r} must start with https://")

        if self.prices and not self.prices.startswith("https://"):
            raise ValueError(f"The address of retail prices {self.prices!r} must start with https://")

    @property
    def scope(self) -> str:
        """What a token for the resource manager is asked for."""
        return f"{self.audience or self.resource_manager}/.default"

    @property
    def metrics_scope(self) -> str:
        """What a token for the data plane of metrics is asked for."""
        return f"{self.metrics_audience}/.default"

    @property
    def logs_scope(self) -> str:
        """What a token for queries of logs is asked for."""
        return f"{self.logs_audience}/.default"

    @property
    def key_vault_scope(self) -> str:
        """What a token for a vault is asked for."""
        return f"{self.key_vault_audience}/.default"

    @property
    def scoring_scope(self) -> str:
        """What a token to score with is asked for."""
        return f"{self.scoring_audience}/.default"

    def metrics_at(self, region: str) -> str:
        """The data plane's address in a region; ValueError for what can't be a region's name."""
        return self.metrics.replace("{region}", arm.region_name(region))

    @classmethod
    def from_metadata(cls, document: Mapping[str, Any], *, ca_bundle: str = "") -> CloudSettings:
        """A cloud out of the document that a resource manager serves at /metadata/endpoints.

        Where the document does not tell where metrics, logs, vaults or scoring URIs are, and CLOUDS does not know the
        resource manager, they are nowhere: no token of one cloud goes to another.
        """
        resource_manager = document["resourceManager"].rstrip("/")
        same = (cloud for cloud in CLOUDS.values() if cloud.resource_manager == resource_manager)
        known = next(same, cls(metrics="", logs="", prices="", key_vault_suffix="", scoring_suffix=""))
        suffixes = document["suffixes"]
        return cls(
            name=document["name"],
            resource_manager=resource_manager,
            authority=document["authentication"]["loginEndpoint"].rstrip("/"),
            portal=document["portal"].rstrip("/"),
            studio=str(document.get("studio") or "https://ml.azure.com").rstrip("/"),
            storage_suffix=suffixes["storage"],
            metrics=str(document.get("metrics") or known.metrics).rstrip("/"),
            metrics_audience=str(document.get("metricsAudience") or known.metrics_audience).rstrip("/"),
            logs=str(document.get("logs") or known.logs).rstrip("/"),
            logs_audience=str(document.get("logsAudience") or known.logs_audience).rstrip("/"),
            prices=str(document.get("prices") or known.prices).rstrip("/"),
            key_vault_suffix=_suffix(suffixes.get("keyVaultDns"), known.key_vault_suffix),
            key_vault_audience=str(document.get("keyVaultAudience") or known.key_vault_audience).rstrip("/"),
            scoring_suffix=_suffix(suffixes.get("scoring"), known.scoring_suffix),
            scoring_audience=str(document.get("scoringAudience") or known.scoring_audience).rstrip("/"),
            ca_bundle=ca_bundle,
        )


def _suffix(named: object, known: str) -> str:
    """As it stands at the end of a host; Azure's documents begin it with a dot or not."""
    return str(named or known).strip("./").lower()


CLOUDS: Mapping[str, CloudSettings] = {
    cloud.name: cloud
    for cloud in (
        CloudSettings(),
        CloudSettings(
            name="AzureChinaCloud",
            resource_manager="https://management.chinacloudapi.cn",
            authority="https://login.chinacloudapi.cn",
            portal="https://portal.azure.cn",
            studio="https://studio.ml.azure.cn",
            storage_suffix="core.chinacloudapi.cn",
            registry_discovery="https://chinaeast2.api.ml.azure.cn",
            metrics="https://{region}.metrics.monitor.azure.cn",
            metrics_audience="https://metrics.monitor.azure.cn",
            logs="https://api.loganalytics.azure.cn",
            logs_audience="https://api.loganalytics.azure.cn",
            prices="",
            key_vault_suffix="vault.azure.cn",
            key_vault_audience="https://vault.azure.cn",
            scoring_suffix="inference.ml.azure.cn",
            scoring_audience="https://ml.azure.cn",
        ),
        CloudSettings(
            name="AzureUSGovernment",
            resource_manager="https://management.usgovcloudapi.net",
            authority="https://login.microsoftonline.us",
            portal="https://portal.azure.us",
            studio="https://ml.azure.us",
            storage_suffix="core.usgovcloudapi.net",
            registry_discovery="https://usgovarizona.api.ml.azure.us",
            metrics="https://{region}.metrics.monitor.azure.us",
            metrics_audience="https://metrics.monitor.azure.us",
            logs="https://api.loganalytics.us",
            logs_audience="https://api.loganalytics.us",
            prices="",
            key_vault_suffix="vault.usgovcloudapi.net",
            key_vault_audience="https://vault.usgovcloudapi.net",
            scoring_suffix="inference.ml.azure.us",
            scoring_audience="https://ml.azure.us",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class RateSettings:
    """Token buckets, per subscription and identity: so many calls at once, then so many a second.

    `reserve` reads are left to urgent callers, so that a sync never starves a rollback. Reads and writes are
    the resource manager's. Metrics have a data plane of their own, counted per region too, whose limit
    Microsoft does not state: what stands here is a careful guess. Resource Graph allows 15 queries in 5 s, the
    activity log 50 in 30 s, Log Analytics 200 in 30 s; the retail price list states no limit. Secrets are counted
    per vault and probes per endpoint, so that neither is a burden.
    """

    read_burst: int = 250
    read_refill: float = 25.0
    write_burst: int = 200
    write_refill: float = 10.0
    metrics_burst: int = 50
    metrics_refill: float = 10.0
    graph_burst: int = 15
    graph_refill: float = 3.0
    activity_burst: int = 50
    activity_refill: float = 1.6
    logs_burst: int = 20
    logs_refill: float = 5.0
    retail_burst: int = 10
    retail_refill: float = 2.0
    secret_burst: int = 20
    secret_refill: float = 5.0
    probe_burst: int = 20
    probe_refill: float = 2.0
    reserve: int = 15


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Everything `connect` takes. Times are in seconds."""

    cloud: CloudSettings = field(default_factory=CloudSettings)
    credential: CredentialKind = CredentialKind.MANAGED_IDENTITY
    client_id: str = ""
    tenant_id: str = ""
    connect_timeout: float = 5.0
    read_timeout: float = 20.0
    deadline: float = 30.0
    probe_deadline: float = 60.0
    listing_deadline: float = 120.0
    patience: float = 60.0
    urgent_patience: float = 1.0
    concurrency: int = 64
    page_limit: int = 500
    user_agent: str = "opsportal"
    rates: RateSettings = field(default_factory=RateSettings)
