"""Addresses of Microsoft's own pages."""

from __future__ import annotations

import pytest

from endpoints.azure_gateway.links import links
from endpoints.azure_gateway.settings import CLOUDS, CloudSettings
from tests.azure_gateway import samples

PUBLIC = CloudSettings()


def test_links__of_an_endpoint__lead_to_its_pages() -> None:
    found = links(PUBLIC, samples.ENDPOINT)
    assert found.studio == (
        f"https://ml.azure.com/endpoints/realtime/checkout-risk/detail?wsid={samples.WORKSPACE}"
    )
    assert found.portal == f"https://portal.azure.com/#resource{samples.ENDPOINT}/overview"
    assert found.monitor == f"https://portal.azure.com/#resource{samples.ENDPOINT}/metrics"


def test_links__of_a_deployment__show_it_on_its_endpoints_studio_page() -> None:
    found = links(PUBLIC, samples.DEPLOYMENT)
    assert "/endpoints/realtime/checkout-risk/detail?" in found.studio
    assert found.monitor.endswith("/deployments/blue/metrics")


def test_links__with_a_tenant__open_in_it() -> None:
    found = links(PUBLIC, samples.WORKSPACE, tenant_id="contoso.com")
    assert found.studio.endswith(f"wsid={samples.WORKSPACE}&tid=contoso.com")
    assert found.portal.startswith("https://portal.azure.com/#@contoso.com/resource/subscriptions/")


def test_links__in_another_cloud__stay_in_it() -> None:
    found = links(CLOUDS["AzureUSGovernment"], samples.ENDPOINT)
    assert found.studio.startswith("https://ml.azure.us/")
    assert found.portal.startswith("https://portal.azure.us/")


def test_links__odd_characters_in_an_id__can_not_leave_the_page() -> None:
    found = links(PUBLIC, f"{samples.WORKSPACE}/onlineEndpoints/a'\"<b>&c=d#e")
    for link in (found.studio, found.portal, found.monitor):
        assert not set(link) & set("'\"<>")
    assert "&c=" not in found.studio


def test_links__of_something_else__are_refused() -> None:
    with pytest.raises(ValueError, match="not the ARM id"):
        links(PUBLIC, "/subscriptions/x")
