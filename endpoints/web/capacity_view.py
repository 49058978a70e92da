"""What a change of capacity changes, for those who decide on it: instances, money, settings, and what is deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from endpoints.access.rows import WorkspaceRow
from endpoints.changes.plan import Step
from endpoints.changes.selectors import ChangeDetail
from endpoints.changes.selectors.kept import kept_files
from endpoints.core.money import Money, plain
from endpoints.core.traffic import Split
from endpoints.inventory import selectors as inventory
from endpoints.inventory.assets import short
from endpoints.prices.selectors import Price, prices_of
from endpoints.web import capacity_words as words
from endpoints.web.compared import Compared
from endpoints.web.document_diff import DocumentDiff, diff_documents
from endpoints.web.prices_view import money, price_source
from endpoints.web.wording import NBSP, UNKNOWN, length, percent, plural
from endpoints.web.wording import split as split_words

NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Stood:
    """A deployment as it stood when the change was written, or stands while it waits."""

    name: str
    state: str
    weight: int
    sku: str
    instances: int | None
    model: str


@dataclass(frozen=True, slots=True)
class CapacityView:
    """The part of a review page that is of capacity. `kept`: names of the files kept by now; `notes` in sentences."""

    rows: tuple[Compared, ...]
    documents: tuple[DocumentDiff, ...]
    deleted: tuple[Stood, ...]
    notes: tuple[str, ...]
    kept: tuple[str, ...]


def capacity_view(detail: ChangeDetail, workspace: WorkspaceRow) -> CapacityView:
    """Of a change whose steps are of capacity."""
    stood = standing(detail)
    region = inventory.endpoint_facts(detail.row.endpoint_id).location
    prices = prices_of(workspace.subscription_id, region, [one.sku for one in stood.values() if one.sku])
    rows = [
        row
        for step in words.capacity_steps(detail.steps)
        for row in _rows(detail.row.endpoint, step, stood, prices)
    ]
    last = detail.steps[-1]
    rows.append(Compared("Live traffic", split_words(detail.base.split), split_words(last.split)))
    rows += _unchanged(detail, stood)
    return CapacityView(
        rows=tuple(rows),
        documents=tuple(
            diff_documents(f"Autoscale setting of {step.deployment}", step.previous, step.document)
            for step in detail.steps
            if step.verb == "put_autoscale"
        ),
        deleted=tuple(one for step in detail.steps for one in _deleted(step, stood)),
        notes=tuple(_notes(detail, prices, stood)),
        kept=tuple(file.name for file in kept_files(detail.row.id)) if words.deletes(detail.steps) else (),
    )


def standing(detail: ChangeDetail) -> Mapping[str, Stood]:
    """The deployments by lower-case name; of a change that was started, as they were known right before."""
    if detail.row.started_at is None:
        found = [one for one in detail.weights if one.deployment]
        return {one.name: _stands(one.live, one.deployment) for one in found if one.deployment}
    then = inventory.deployments_as_of(detail.row.endpoint_id, detail.row.started_at)
    return {
        one.name.lower(): _stood(one, detail.base.split) for one in then if one.states and not one.is_gone
    }


def _stands(weight: int, one: inventory.DeploymentState) -> Stood:
    return Stood(
        one.name, one.provisioning_state, weight, one.instance_type, one.instance_count, short(one.model)
    )


def _stood(one: inventory.DeploymentThen, split: Split) -> Stood:
    state = one.states[-1].state
    return Stood(
        name=one.name,
        state=str(state.get("provisioning_state") or ""),
        weight=split.get(one.name.lower(), 0),
        sku=str(state.get("instance_type") or ""),
        instances=state.get("instance_count"),
        model=short(str(state.get("model") or "")),
    )


def _rows(
    endpoint: str, step: Step, stood: Mapping[str, Stood], prices: Mapping[str, Price]
) -> list[Compared]:
    one = stood.get(step.deployment)
    match step.verb:
        case "patch_capacity":
            was = step.was or (one.instances if one else None)
            sku = one.sku if one else ""
            price = prices.get(sku.lower())
            return [
                Compared("Instances", machines(sku, was), machines(sku, step.instances)),
                Compared("Cost per hour", cost(price, was), cost(price, step.instances)),
            ]
        case "put_autoscale":
            price = prices.get(one.sku.lower()) if one else None
            bounds = words.document_words(step.previous), words.document_words(step.document)
            return [
                Compared("Autoscale", *bounds),
                Compared("Cost per hour", _between(price, step.previous), _between(price, step.document)),
            ]
        case "delete_deployment":
            found = [one] if one else []
            return [Compared("Deployment", _standing(one), "deleted"), _hourly(found, prices)]
        case _:
            everything = list(stood.values())
            names = ", ".join(each.name for each in everything) or "none"
            return [
                Compared("Endpoint", endpoint, "deleted, with its scoring URI and keys"),
                Compared("Deployments", names, "deleted"),
                _hourly(everything, prices),
            ]


def _unchanged(detail: ChangeDetail, stood: Mapping[str, Stood]) -> list[Compared]:
    """What stays, where the deployment does."""
    one = stood.get(words.subject_of(detail.steps))
    if one is None or words.deletes(detail.steps):
        return []
    model = one.model or "not reported"
    return [Compared("Model", model, model)]


def machines(sku: str, count: int | None) -> str:
    """`Standard_DS3_v2 x 4`."""
    return f"{sku or 'SKU not reported'}{NBSP}x{NBSP}{'?' if count is None else count}"


def cost(price: Price | None, count: int | None) -> str:
    """Per hour; unknown where the price or the number is, which is no two equal costs."""
    if count is None:
        return UNKNOWN
    if price is None:
        return f"{UNKNOWN} for {plural(count, 'instance')}"
    return money(price.money.times(count))


def _between(price: Price | None, document: Mapping[str, object] | None) -> str:
    """What the bounds of a setting allow to be spent."""
    if document is None:
        return "as many instances as are asked for"
    profiles = words.setting_in(document).profiles
    least = [one.least for one in profiles if one.least is not None]
    most = [one.most for one in profiles if one.most is not None]
    if price is None or len(least) != len(profiles) or len(most) != len(profiles) or not profiles:
        return UNKNOWN
    low, high = cost(price, min(least)), cost(price, max(most))
    return low if low == high else f"{plain(price.amount * min(least))} to {high}"


def _hourly(found: list[Stood], prices: Mapping[str, Price]) -> Compared:
    return Compared("Cost per hour", money(total(found, prices)), NOTHING)


def total(found: list[Stood], prices: Mapping[str, Price]) -> Money | None:
    """What they cost per hour together; None where one of them is not known, or they are in two currencies."""
    each = [
        price.money.times(one.instances)
        for one in found
        if (price := prices.get(one.sku.lower())) is not None and one.instances is not None
    ]
    if not each or len(each) != len(found) or len({one.currency for one in each}) > 1:
        return None
    whole = each[0]
    for other in each[1:]:
        whole += other
    return whole


def _standing(one: Stood | None) -> str:
    if one is None:
        return "not known"
    return f"{one.state or 'state not reported'}, {machines(one.sku, one.instances)}, weight {percent(one.weight)}"


def _deleted(step: Step, stood: Mapping[str, Stood]) -> list[Stood]:
    if step.verb == "delete_endpoint":
        return list(stood.values())
    return [stood[step.deployment]] if step.verb == "delete_deployment" and step.deployment in stood else []


def _notes(detail: ChangeDetail, prices: Mapping[str, Price], stood: Mapping[str, Stood]) -> list[str]:
    steps = detail.steps
    told = [undoing(steps, detail.row.endpoint, detail.base.split)]
    if words.deletes(steps):
        bake = next((step.bake for place, step in enumerate(steps) if words.is_scream(steps, place)), 0)
        told.insert(0, _scream(bake))
        told.append(
            "Before the delete the portal keeps YAML files of everything that goes, for az ml to make it anew."
        )
    sku = next((one.sku for one in stood.values() if one.sku.lower() in prices), "")
    told.append(
        f"Price: {price_source(prices[sku.lower()])}." if sku else "The price of its machines is not known."
    )
    return told


def _scream(bake: int) -> str:
    if not bake:
        return "There is no scream test: it is deleted as soon as its weight is 0."
    return (
        f"Scream test: for {length(bake)} it stands at weight 0, and the change is held if a request comes, or if"
        " nobody can tell whether one came."
    )


def undoing(steps: tuple[Step, ...], endpoint: str, base: Split) -> str:
    """What a rollback of it would do."""
    if words.deletes(steps):
        subject = words.subject_of(steps)
        weighs = bool(base.get(subject) if subject else base)
        back = "gives it its weight back" if weighs else "ends this, and it stays as it is"
        return (
            f"Rollback: until {subject or endpoint} is deleted a rollback {back}. After that nothing brings it back by"
            " itself; the kept files do, by hand."
        )
    step = words.capacity_steps(steps)[-1]
    if step.verb == "put_autoscale":
        return "Rollback: the setting that stood before is put back."
    back = f"brings {step.deployment} back to {plural(step.was, 'instance')}" if step.was else "is not known"
    return f"Rollback: {back}, which takes Azure minutes."
