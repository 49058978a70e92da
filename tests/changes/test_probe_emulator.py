"""Through the gateway and over TLS: a deployment without traffic is asked, by whatever lets the portal in."""

from __future__ import annotations

import json
import ssl
from urllib.request import urlopen

import pytest
from django.conf import settings

from emulator.launch import Emulator
from endpoints.changes.models import Probe
from endpoints.changes.selectors import newest_probes
from endpoints.changes.services.probe import probe_endpoint
from endpoints.changes.services.sample import set_sample
from endpoints.changes.verdict import Outcome
from endpoints.core.errors import Invalid
from endpoints.inventory.models import Endpoint
from opsportal.celery import app as celery_app
from tests.inventory.conftest import azure as azure
from tests.inventory.test_sync_flow import connect, sync
from tests.support.people import make_person, principal

pytestmark = [pytest.mark.processes, pytest.mark.django_db]

BODY = '{"input_data": [[1, 2, 3]]}'


@pytest.fixture
def cloud(azure: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The emulator as a cloud that tells of itself: where its vaults are, and where endpoints answer."""
    trusted = ssl.create_default_context(cafile=str(azure.ca_file))
    with urlopen(f"{azure.arm}/metadata/endpoints", timeout=10, context=trusted) as answer:
        document = json.load(answer)[0]
    config = settings.OPSPORTAL.model_copy(update={"azure_cloud_metadata": json.dumps(document)})
    monkeypatch.setattr(settings, "OPSPORTAL", config)
    return azure


def mirrored(cloud: Emulator, slug: str, name: str) -> Endpoint:
    workspace = connect(cloud, slug)
    sync(workspace)
    return Endpoint.objects.get(workspace=workspace, name_key=name, deleted_at=None)


def ask(endpoint: Endpoint, **more: str) -> dict[str, Outcome]:
    """What each deployment came to."""
    operator = make_person("omar", {endpoint.workspace.slug: ["operator"]})
    set_sample(
        principal=principal(operator),
        endpoint_id=endpoint.pk,
        body=BODY,
        synthetic=True,
        **more,  # type: ignore[arg-type]
    )
    assert probe_endpoint(endpoint_id=endpoint.pk) == endpoint.deployments.filter(deleted_at=None).count() > 0
    return {name: one.outcome for name, one in newest_probes(endpoint.pk).items()}


def test_probe__with_a_key_from_a_vault__is_answered_by_each_deployment(cloud: Emulator) -> None:
    endpoint = mirrored(cloud, "mlw-prod-weu", "checkout-risk")
    uri = f"{cloud.vault}/secrets/checkout-risk-key"
    assert set(ask(endpoint, secret_uri=uri).values()) == {Outcome.PASS}
    row = Probe.objects.filter(deployment="green").latest("pk")
    assert (row.status, bool(row.shape)) == (200, True)
    assert row.seconds is not None and row.seconds > 0


def test_probe__with_the_portals_own_identity__is_answered(cloud: Emulator) -> None:
    assert Outcome.PASS in ask(mirrored(cloud, "mlw-test-neu", "home-recs")).values()


def test_probe__where_a_key_is_wanted_and_none_named__is_not_possible(cloud: Emulator) -> None:
    endpoint = mirrored(cloud, "mlw-prod-weu", "checkout-risk")
    assert set(ask(endpoint).values()) == {Outcome.INCONCLUSIVE}
    assert Probe.objects.latest("pk").reason.startswith("Not possible")


def test_sample__with_a_secret_of_another_place__is_refused(cloud: Emulator) -> None:
    endpoint = mirrored(cloud, "mlw-prod-weu", "checkout-risk")
    with pytest.raises(Invalid, match="vault of this cloud"):
        ask(endpoint, secret_uri="https://vault.example/secrets/checkout-risk-key")


def test_tasks__of_the_timetable__find_nothing_to_ask_without_a_sample(cloud: Emulator) -> None:
    endpoint = mirrored(cloud, "mlw-prod-weu", "checkout-risk")
    celery_app.loader.import_default_modules()
    celery_app.tasks["changes.probe_due"].apply(throw=True)
    celery_app.tasks["changes.refresh_readiness"].apply(throw=True)
    assert newest_probes(endpoint.pk) == {}
