"""Clouds: where each has its metrics, and that no token goes to a cloud that it does not belong to."""

from __future__ import annotations

import pytest

from endpoints.azure_gateway.settings import CLOUDS, CloudSettings


def metadata(resource_manager: str, **more: str) -> dict[str, object]:
    return {
        "name": "Cloud",
        "resourceManager": resource_manager,
        "authentication": {"loginEndpoint": "https://login.example/"},
        "portal": "https://portal.example",
        "suffixes": {"storage": "core.example"},
        **more,
    }


@pytest.mark.parametrize(
    ("cloud", "address", "scope"),
    [
        (
            "AzureCloud",
            "https://westeurope.metrics.monitor.azure.com",
            "https://metrics.monitor.azure.com/.default",
        ),
        (
            "AzureChinaCloud",
            "https://westeurope.metrics.monitor.azure.cn",
            "https://metrics.monitor.azure.cn/.default",
        ),
        (
            "AzureUSGovernment",
            "https://westeurope.metrics.monitor.azure.us",
            "https://metrics.monitor.azure.us/.default",
        ),
    ],
)
def test_cloud__known__has_its_own_data_plane(cloud: str, address: str, scope: str) -> None:
    assert CLOUDS[cloud].metrics_at("westeurope") == address
    assert CLOUDS[cloud].metrics_scope == scope


def test_region__as_people_write_it__becomes_a_host_name() -> None:
    assert CloudSettings().metrics_at("West US 2") == "https://westus2.metrics.monitor.azure.com"


@pytest.mark.parametrize("address", ["http://{region}.example", "https://metrics.example", "{region}"])
def test_cloud__address_of_metrics_that_is_none__is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"must start with https:// and contain \{region\}"):
        CloudSettings(metrics=address)


def test_metadata__of_an_unknown_cloud__has_no_data_plane_for_metrics() -> None:
    assert CloudSettings.from_metadata(metadata("https://arm.example")).metrics == ""


def test_metadata__of_a_known_cloud__has_the_data_plane_of_that_cloud() -> None:
    cloud = CloudSettings.from_metadata(metadata("https://management.chinacloudapi.cn/"))
    assert cloud.metrics == CLOUDS["AzureChinaCloud"].metrics
    assert cloud.metrics_audience == "https://metrics.monitor.azure.cn"


def test_metadata__of_an_unknown_cloud__has_neither_vaults_nor_scoring_uris() -> None:
    cloud = CloudSettings.from_metadata(metadata("https://arm.example"))
    assert (cloud.key_vault_suffix, cloud.scoring_suffix) == ("", "")


def test_metadata__of_a_known_cloud__has_the_vaults_and_scoring_uris_of_that_cloud() -> None:
    cloud = CloudSettings.from_metadata(metadata("https://management.usgovcloudapi.net"))
    assert (cloud.key_vault_suffix, cloud.scoring_suffix) == (
        "vault.usgovcloudapi.net",
        "inference.ml.azure.us",
    )
    assert cloud.key_vault_scope == "https://vault.usgovcloudapi.net/.default"
    assert cloud.scoring_scope == "https://ml.azure.us/.default"


def test_metadata__that_tells_where_vaults_and_scoring_uris_are__is_believed() -> None:
    told = metadata(
        "https://arm.example", keyVaultAudience="https://kv.example/", scoringAudience="https://ml.example"
    )
    told["suffixes"] = {"storage": "s", "keyVaultDns": ".Vault.example", "scoring": "localhost:8643"}
    cloud = CloudSettings.from_metadata(told)
    assert (cloud.key_vault_suffix, cloud.scoring_suffix) == ("vault.example", "localhost:8643")
    assert cloud.key_vault_scope == "https://kv.example/.default"
    assert cloud.scoring_scope == "https://ml.example/.default"


def test_metadata__that_tells_where_metrics_are__is_believed() -> None:
    told = metadata(
        "https://arm.example", metrics="https://m.example/{region}/", metricsAudience="https://m.example"
    )
    cloud = CloudSettings.from_metadata(told)
    assert cloud.metrics_at("a1") == "https://m.example/a1"
    assert cloud.metrics_scope == "https://m.example/.default"


def test_metadata__as_to_logs__names_them_or_has_those_of_the_known_cloud_or_none() -> None:
    unknown = metadata("https://arm.example")
    told = CloudSettings.from_metadata(
        {**unknown, "logs": "https://logs.example/", "logsAudience": "https://a.example"}
    )
    assert (told.logs, told.logs_scope) == ("https://logs.example", "https://a.example/.default")
    assert CloudSettings.from_metadata(unknown).logs == ""
    known = CloudSettings.from_metadata(metadata("https://management.usgovcloudapi.net"))
    assert (known.logs, known.logs_scope) == (
        "https://api.loganalytics.us",
        "https://api.loganalytics.us/.default",
    )
