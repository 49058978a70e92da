"""Through the gateway and over TLS: what a world offers and uses is what is on record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings

from emulator.launch import Emulator
from endpoints.access.models import Workspace
from endpoints.dispatch import db_now
from endpoints.inventory.models import Deployment
from endpoints.prices.catalogue import SOURCE
from endpoints.prices.models import PriceReading, SkuPrice
from endpoints.prices.quota import quota_needed
from endpoints.prices.retail import SOURCE as RETAIL
from endpoints.prices.selectors import cost_of, price_of, quota_of, reading_of, sizes
from endpoints.prices.services import Outcome, read_prices
from opsportal.celery import app as celery_app
from tests.inventory.conftest import azure as azure
from tests.inventory.test_sync_flow import connect, sync

pytestmark = [pytest.mark.processes, pytest.mark.django_db]


@pytest.fixture
def production(azure: Emulator, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    config = settings.OPSPORTAL.model_copy(update={"azure_prices_endpoint": azure.prices})
    monkeypatch.setattr(settings, "OPSPORTAL", config)
    workspace = connect(azure, "mlw-prod-weu")
    run = sync(workspace)
    assert (run.outcome, run.unreadable) == ("complete", [])
    return workspace


def test_prices__of_what_runs__are_read_with_sizes_and_the_quota_that_it_takes(production: Workspace) -> None:
    place = production.subscription_id, "westeurope"
    assert read_prices(subscription=place[0], region=place[1]) == Outcome(
        sizes=True, quotas=True, retail=True
    )

    running = list(Deployment.objects.exclude(instance_type="").exclude(instance_count=None))
    assert running
    needed: dict[str, int] = {}
    for one in running:
        cost = cost_of(*place, one.instance_type, one.instance_count)
        assert cost.price is not None, (one.instance_type, cost.why_no_price)
        assert cost.per_hour is not None and cost.size is not None and one.instance_count is not None
        assert cost.per_hour.amount == cost.price.amount * one.instance_count > Decimal(0)
        needed[cost.size.family] = needed.get(cost.size.family, 0) + (
            quota_needed(one.instance_count, cost.size.vcpus) or 0
        )
    for family, cores in needed.items():
        quota = quota_of(*place, family)
        assert quota is not None and quota.used >= cores, family
    page = sizes(production.pk)
    assert page.rows and all(row.size.for_endpoints for row in page.rows)
    assert (page.readings[0].sizes_reason, page.readings[0].quotas_reason) == ("", "")


def test_prices__refused_by_azure__keep_what_was_known_and_say_why(
    azure: Emulator, production: Workspace
) -> None:
    place = production.subscription_id, "westeurope"
    read_prices(subscription=place[0], region=place[1])
    known = SkuPrice.objects.count()
    azure.admin.fault("status", status=403, path="vmSizes", method="GET")
    azure.admin.fault("status", status=503, path="usages", method="GET")
    PriceReading.objects.update(sizes_due_at=db_now(), quotas_due_at=db_now())

    assert read_prices(subscription=place[0], region=place[1]) == Outcome(sizes=False, quotas=False)

    told = reading_of(*place)
    assert told is not None
    assert "403" in told.sizes_reason
    assert "503" in told.quotas_reason
    assert SkuPrice.objects.count() == known > 0


def test_retail_prices__of_what_runs__are_read_without_signing_in_and_agree_with_the_own_list(
    production: Workspace, azure: Emulator
) -> None:
    place = production.subscription_id, "westeurope"
    read_prices(subscription=place[0], region=place[1])

    rows = SkuPrice.objects.filter(source=RETAIL)
    assert {row.sku for row in rows} == {"standard_ds3_v2", "standard_nc4as_t4_v3"}
    for row in rows:
        own = price_of(*place, row.sku)
        assert own is not None and (own.source, own.amount, own.beside) == (SOURCE, row.amount, None)
    asked = azure.admin.requests(plane="retail")
    assert len(asked) == 2 and all(one["caller"] is None for one in asked)


def test_retail_prices__that_are_throttled__say_so_and_come_later(
    production: Workspace, azure: Emulator
) -> None:
    place = production.subscription_id, "westeurope"
    azure.admin.fault("status", plane="retail", status=429, retry_after=3600, times=1)

    outcome = read_prices(subscription=place[0], region=place[1])

    assert outcome == Outcome(sizes=True, quotas=True, retail=False)
    row = PriceReading.objects.get(subscription=place[0], region=place[1])
    assert "429" in row.retail_reason
    assert row.retail_due_at - db_now() > timedelta(minutes=59)


@pytest.fixture
def worker() -> Iterator[None]:
    """Tasks run where they are sent."""
    celery_app.loader.import_default_modules()
    celery_app.conf.task_always_eager = True
    yield
    celery_app.conf.task_always_eager = False


def test_the_task__of_the_timetable__reads_every_place_that_the_mirror_knows(
    production: Workspace, worker: None
) -> None:
    celery_app.tasks["prices.read_due"].apply(throw=True)
    rows = list(PriceReading.objects.all())
    assert rows and all(row.sizes_read_at and row.quotas_read_at for row in rows)
