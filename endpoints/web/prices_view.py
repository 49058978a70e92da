"""What a deployment's machines cost per hour, with date and source, and how much quota is left; or why nobody knows."""

from __future__ import annotations

from dataclasses import dataclass

from endpoints.access.rows import WorkspaceRow
from endpoints.core.money import Money
from endpoints.inventory.selectors import DeploymentRow
from endpoints.prices.quota import quota_needed
from endpoints.prices.selectors import Cost, Price, Quota, Size, cost_of
from endpoints.web.wording import NBSP, UNKNOWN, ago, clock, count, plural

SOURCES = {
    "vm_sizes": "Azure Machine Learning's list of sizes",
    "retail": "Azure's retail price list",
}


@dataclass(frozen=True, slots=True)
class CostView:
    """The lines of the section; a note below a figure says where it is from, or why there is none."""

    per_hour: str
    per_hour_note: str
    per_instance: str
    per_instance_note: str
    machine: str
    quota: str
    quota_note: str


def cost_view(workspace: WorkspaceRow, region: str, one: DeploymentRow) -> CostView:
    found = cost_of(workspace.subscription_id, region, one.instance_type, one.instance_count)
    return CostView(
        per_hour=money(found.per_hour),
        per_hour_note=_per_hour_note(found, one.instance_count),
        per_instance=money(found.price.money if found.price else None),
        per_instance_note=price_source(found.price) if found.price else found.why_no_price,
        machine=_machine(found.size),
        quota=_quota(found.quota),
        quota_note=_quota_note(found, one.instance_count),
    )


def money(value: Money | None) -> str:
    """`0.293 USD`."""
    return UNKNOWN if value is None else str(value).replace(" ", NBSP)


def _per_hour_note(found: Cost, instances: int | None) -> str:
    if found.price is None:
        return "its price is not known"
    if instances is None:
        return "how many instances were asked for is not known"
    return f"for {plural(instances, 'instance')} asked for, before any discount"


def price_source(price: Price) -> str:
    """Since when, how fresh, and from where."""
    since = f"since {clock(price.seen_at, seconds=False)}"
    if price.earliest is None:
        since = f"as first read {clock(price.seen_at, seconds=False)}"
    return (
        f"list price on Linux, {since}, confirmed {ago(price.confirmed_at)};"
        f" from {SOURCES.get(price.source, price.source)}"
    )


def _machine(size: Size | None) -> str:
    """`4 vCPU, 14 GB, no GPU`."""
    if size is None:
        return UNKNOWN
    parts = [
        "vCPU unknown" if size.vcpus is None else plural(size.vcpus, "vCPU", "vCPU"),
        "memory unknown" if size.memory_gb is None else f"{size.memory_gb:g}{NBSP}GB",
        "GPU unknown" if size.gpus is None else "no GPU" if size.gpus == 0 else plural(size.gpus, "GPU"),
    ]
    return ", ".join(parts)


def _quota(quota: Quota | None) -> str:
    if quota is None:
        return UNKNOWN
    if quota.limit is None:
        return f"{count(quota.used)} used, no limit"
    return f"{count(quota.used)} of {count(quota.limit)} cores used"


def _quota_note(found: Cost, instances: int | None) -> str:
    """What this deployment takes of it: Azure keeps a fifth in reserve, which costs nothing."""
    if found.quota is None:
        return found.why_no_quota
    note = f"{found.quota.label}, read {ago(found.quota.read_at)}"
    taken = quota_needed(instances, found.size.vcpus) if found.size and instances is not None else None
    if taken is None:
        return note
    return f"{note}; this deployment takes {count(taken)}, with Azure's reserve of 20{NBSP}%"
