"""What a change would do: typed steps, the base they start from, and the hash that an approval is sealed to.

The hash covers the change, its revision number, every step, the terms under which they are walked and the state
of the endpoint that was seen when the plan was written; so an edit of anything, or another base, is another hash
and voids the approval.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from endpoints.changes.terms import Terms, without_floats
from endpoints.core import traffic

Verb = Literal["put_split", "patch_capacity", "put_autoscale", "delete_deployment", "delete_endpoint"]
VERBS: tuple[Verb, ...] = (
    "put_split",
    "patch_capacity",
    "put_autoscale",
    "delete_deployment",
    "delete_endpoint",
)
DELETES: frozenset[Verb] = frozenset({"delete_deployment", "delete_endpoint"})
LONGEST_BAKE = 14 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Step:
    """One write: live traffic as percent by deployment, and mirrored traffic; both complete maps, zeros left out.

    `bake`: seconds for which the step must be seen in force and healthy before the next one. `click`: then a
    person says go. A `patch_capacity` step brings `deployment` to `instances`, under the split that it is given; so do
    the others: `put_autoscale` makes `document` (None: nothing) of the autoscale setting `setting`, where `previous`
    stood (None: nothing), `delete_deployment` deletes `deployment`, and `delete_endpoint` the endpoint. `was`: the
    instances before, as they were read when the plan was written; 0: not known.
    """

    verb: Verb
    split: traffic.Split
    mirror: traffic.Split
    bake: int = 0
    click: bool = False
    deployment: str = ""
    instances: int = 0
    setting: str = ""
    document: Mapping[str, Any] | None = None
    previous: Mapping[str, Any] | None = None
    was: int = 0

    def as_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"verb": self.verb, "split": self.split, "mirror": self.mirror}
        if self.bake or self.click:
            data |= {"bake": self.bake, "click": self.click}
        if self.verb == "patch_capacity":
            data |= {"deployment": self.deployment, "instances": self.instances}
            data |= {"was": self.was} if self.was else {}
        if self.verb == "put_autoscale":
            data |= {"deployment": self.deployment, "setting": self.setting}
            data |= {"document": self.document, "previous": self.previous}
        if self.verb == "delete_deployment":
            data |= {"deployment": self.deployment}
        return data

    def for_ledger(self) -> dict[str, Any]:
        """The same with fractions as text: a rule's threshold may be one."""
        told: dict[str, Any] = without_floats(self.as_json())
        return told


@dataclass(frozen=True, slots=True)
class Base:
    """The endpoint's state that the plan was written against, as the mirror had it."""

    split: traffic.Split
    mirror: traffic.Split
    state_hash: str

    def as_json(self) -> dict[str, Any]:
        return {"split": self.split, "mirror": self.mirror, "state_hash": self.state_hash}


def put_split(
    split: Mapping[str, int], mirror: Mapping[str, int], *, bake: int = 0, click: bool = False
) -> Step:
    """The step that orders a complete split."""
    return Step("put_split", traffic.normalise(split), traffic.normalise(mirror), bake, click)


def patch_capacity(
    deployment: str,
    instances: int,
    split: Mapping[str, int],
    mirror: Mapping[str, int],
    *,
    bake: int = 0,
    was: int = 0,
) -> Step:
    """The step that brings a deployment to so many instances; the split stays as it is."""
    kept, mirrored = traffic.normalise(split), traffic.normalise(mirror)
    return Step("patch_capacity", kept, mirrored, bake, False, deployment.lower(), instances, was=was)


def put_autoscale(
    deployment: str,
    setting: str,
    document: Mapping[str, Any] | None,
    previous: Mapping[str, Any] | None,
    split: Mapping[str, int],
    mirror: Mapping[str, int],
) -> Step:
    """The step that leaves a deployment with this autoscale setting, or with none."""
    kept, mirrored = traffic.normalise(split), traffic.normalise(mirror)
    name = deployment.lower()
    return Step(
        "put_autoscale",
        kept,
        mirrored,
        deployment=name,
        setting=setting,
        document=document,
        previous=previous,
    )


def delete_deployment(deployment: str, split: Mapping[str, int], mirror: Mapping[str, int]) -> Step:
    """The step that deletes a deployment, which has no weight in the split."""
    kept, mirrored = traffic.normalise(split), traffic.normalise(mirror)
    return Step("delete_deployment", kept, mirrored, deployment=deployment.lower())


def delete_endpoint() -> Step:
    """The step that deletes the endpoint with all its deployments, of which none has any weight."""
    return Step("delete_endpoint", {}, {})


def steps_from_json(data: list[dict[str, Any]]) -> tuple[Step, ...]:
    """Steps as stored; a verb that this version does not know raises ValueError rather than being skipped."""
    return tuple(_step_from_json(item) for item in data)


def _step_from_json(item: dict[str, Any]) -> Step:
    if item["verb"] not in VERBS:
        raise ValueError(f"unknown step {item['verb']!r}")
    common = put_split(
        item["split"], item["mirror"], bake=item.get("bake", 0), click=item.get("click", False)
    )
    return replace(
        common,
        verb=item["verb"],
        deployment=item.get("deployment", ""),
        instances=item.get("instances", 0),
        setting=item.get("setting", ""),
        document=item.get("document"),
        previous=item.get("previous"),
        was=item.get("was", 0),
    )


def base_from_json(data: dict[str, Any]) -> Base:
    return Base(traffic.normalise(data["split"]), traffic.normalise(data["mirror"]), data["state_hash"])


def content_hash(
    *, change_id: int, number: int, steps: tuple[Step, ...], base: Base, terms: Terms | None = None
) -> str:
    """SHA-256, hex, over canonical JSON of everything that an approval must cover."""
    content = {
        "change": change_id,
        "revision": number,
        "steps": [step.as_json() for step in steps],
        "base": base.as_json(),
    }
    if terms is not None and terms != Terms():
        content["terms"] = terms.as_json()
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def before_step(base: Base, steps: tuple[Step, ...], index: int) -> tuple[traffic.Split, traffic.Split]:
    """The split and mirror that must be in force when step `index` begins."""
    if index == 0:
        return base.split, base.mirror
    return steps[index - 1].split, steps[index - 1].mirror


def rising(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """Deployments whose weight goes up."""
    was = traffic.normalise(before)
    return [name for name, weight in traffic.normalise(after).items() if weight > was.get(name, 0)]


def candidates(base: Base, steps: tuple[Step, ...]) -> list[str]:
    """The deployments that the plan gives more traffic, live or mirrored, than they had: what its gates watch."""
    live = {name for step in steps for name in rising(base.split, step.split)}
    mirrored = {name for step in steps for name in rising(base.mirror, step.mirror)}
    return sorted(live | mirrored)


def stables(base: Base, steps: tuple[Step, ...]) -> list[str]:
    """The deployments that carry the base's traffic and are no candidates: what candidates are compared with."""
    return sorted(set(base.split) - set(candidates(base, steps)))


def duration(steps: tuple[Step, ...], terms: Terms) -> int:
    """Seconds that the plan takes at least: its bakes, and the watch after the last step."""
    return sum(step.bake for step in steps) + terms.watch


def problems(steps: tuple[Step, ...]) -> list[str]:
    """What is wrong with the bakes of a plan, in words."""
    return [
        f"Step {number} bakes for {step.bake} s; whole seconds from 0 to {LONGEST_BAKE} can be given."
        for number, step in enumerate(steps, start=1)
        if not 0 <= step.bake <= LONGEST_BAKE
    ]
