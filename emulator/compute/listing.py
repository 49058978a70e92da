"""`locations/{l}/vmSizes` and `locations/{l}/usages`: what a region offers, and how much of it is taken."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlencode

from emulator import names
from emulator.arm.call import Call, Reply, reply
from emulator.arm.routes import SUBSCRIPTION, Route, Table, at
from emulator.cloud import Cloud
from emulator.compute import pricing, quota, sizes
from emulator.compute.quota import Holding
from emulator.compute.sizes import Size
from emulator.errors import ArmError
from emulator.values import Json

_NO_LIMIT = -1
"""What Azure writes where a family has no limit of its own."""


def vm_sizes(cloud: Cloud, call: Call) -> Reply:
    region = _region(cloud, call)
    return reply(
        {"value": [] if region is None else [_size(cloud, s, region) for s in sizes.offered(region)]}
    )


def usages(cloud: Cloud, call: Call) -> Reply:
    """A page of usages. Rows of families and of the whole region, then those of each workspace."""
    region = _region(cloud, call)
    rows = [] if region is None else _usages(cloud, call.subscription, region)
    skip, size = call.number("$skip", 0), cloud.settings.behaviour.usage_page_size
    answer: Json = {"value": rows[skip : skip + size]}
    if skip + size < len(rows):
        path = (
            f"/subscriptions/{call.subscription}/providers/{names.NAMESPACE}/locations/{call.named[0]}/usages"
        )
        answer["nextLink"] = f"{call.base}{path}?{urlencode({**call.query, '$skip': str(skip + size)})}"
    return reply(answer)


def _region(cloud: Cloud, call: Call) -> str | None:
    """The region's key; None, or ARM's 404, for one that nobody knows."""
    region = sizes.region_key(call.named[0])
    if region in sizes.FACTORS or region in _used_regions(cloud):
        return region
    if cloud.settings.behaviour.unknown_region == "empty":
        return None
    raise ArmError(
        404,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location '{call.named[0]}' and API version"
        f" '{call.api_version}' for type 'locations'.",
    )


def _used_regions(cloud: Cloud) -> set[str]:
    return {
        sizes.region_key(str(item.body.get("location", "")))
        for item in cloud.control.world.resources.values()
        if item.kind == "workspace"
    }


def _size(cloud: Cloud, size: Size, region: str) -> Json:
    document: Json = {
        "name": size.name,
        "family": size.family,
        "vCPUs": size.vcpus,
        "gpus": size.gpus,
        "osVhdSizeMB": 1_047_552,
        "maxResourceVolumeMB": int(2048 * size.memory_gb),
        "memoryGB": size.memory_gb,
        "lowPriorityCapable": True,
        "premiumIO": True,
        "supportedComputeTypes": list(size.compute_types),
    }
    told = None if size.name.lower() in cloud.market.unpriced else pricing.estimated(size, region)
    if told is None and cloud.settings.behaviour.absent_prices == "empty":
        told = {"billingCurrency": "USD", "unitOfMeasure": "OneHour", "values": []}
    if told is not None:
        document["estimatedVMPrices"] = told
    return document


def _usages(cloud: Cloud, subscription: str, region: str) -> list[Json]:
    found = list(quota.holdings(cloud.control.world, subscription, region))
    return [
        _row(
            cloud, f"/subscriptions/{subscription}/usages", "dedicatedCores", _TOTAL, _cores(found), _NO_LIMIT
        ),
        *_families(cloud, subscription, region, found),
        *_workspaces(cloud, subscription, region, found),
    ]


_TOTAL = "Total Cluster Dedicated Regional vCPUs"


def _families(cloud: Cloud, subscription: str, region: str, found: list[Holding]) -> list[Json]:
    used = _by_family(found)
    base = f"/subscriptions/{subscription}/usages"
    rows = []
    for family in sizes.families():
        allowed = cloud.market.limit(subscription, region, family, int(cloud.settings.quota_cores))
        rows.append(_row(cloud, base, "vmFamily", family, used[family], allowed))
    rows += [
        _row(cloud, base, "vmFamily", family, 0, _NO_LIMIT, low_priority=True) for family in sizes.families()
    ]
    return rows


def _workspaces(cloud: Cloud, subscription: str, region: str, found: list[Holding]) -> list[Json]:
    """The same cores once more, by the workspace that holds them: whoever adds all rows counts twice."""
    rows = []
    for workspace in cloud.control.world.below(f"/subscriptions/{subscription}"):
        own = [item for item in found if item.deployment.id.lower().startswith(f"{workspace.id.lower()}/")]
        for family, cores in _by_family(own).items():
            allowed = cloud.market.limit(subscription, region, family, int(cloud.settings.quota_cores))
            rows.append(_row(cloud, f"{workspace.id}/usages", "workspaces", family, cores, allowed))
    return rows


def _row(
    cloud: Cloud, base: str, kind: str, name: str, used: int, limit: int, *, low_priority: bool = False
) -> Json:
    label = name if name == _TOTAL else _label(name, low_priority=low_priority)
    as_family = cloud.settings.behaviour.usage_names == "family" and not low_priority
    return {
        "id": base if name == _TOTAL else f"{base}/{label.replace(' ', '_')}",
        "type": f"{names.NAMESPACE}/{kind}/usages",
        "currentValue": used,
        "limit": limit,
        "name": {"localizedValue": label, "value": name if as_family else label},
        "unit": "Count",
    }


def _label(family: str, *, low_priority: bool) -> str:
    """`standardDSv2Family` is `Standard DSv2 Family Cluster Dedicated vCPUs`."""
    word = family.removeprefix("standard").removesuffix("Family").replace("_", " ")
    return f"Standard {word} Family Cluster {'LowPriority' if low_priority else 'Dedicated'} vCPUs"


def _by_family(found: list[Holding]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for item in found:
        counted[item.family] += item.cores
    return counted


def _cores(found: list[Holding]) -> int:
    return sum(item.cores for item in found)


ROUTES: Table = {
    at("GET", SUBSCRIPTION, "locations/*/vmSizes"): Route(
        vm_sizes, f"{names.NAMESPACE}/locations/vmSizes/read"
    ),
    at("GET", SUBSCRIPTION, "locations/*/usages"): Route(usages, f"{names.NAMESPACE}/locations/usages/read"),
}
