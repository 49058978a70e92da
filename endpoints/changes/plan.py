"""What a change would do: typed steps, the base they start from, and the hash that an approval is sealed to.

The hash covers the change, its revision number, every step and the state of the endpoint that was seen when
the plan was written; so an edit of anything, or another base, is another hash and voids the approval.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from endpoints.core import traffic

Verb = Literal["put_split"]


@dataclass(frozen=True, slots=True)
class Step:
    """One write: live traffic as percent by deployment, and mirrored traffic; both complete maps, zeros left out."""

    verb: Verb
    split: traffic.Split
    mirror: traffic.Split

    def as_json(self) -> dict[str, Any]:
        return {"verb": self.verb, "split": self.split, "mirror": self.mirror}


@dataclass(frozen=True, slots=True)
class Base:
    """The endpoint's state that the plan was written against, as the mirror had it."""

    split: traffic.Split
    mirror: traffic.Split
    state_hash: str

    def as_json(self) -> dict[str, Any]:
        return {"split": self.split, "mirror": self.mirror, "state_hash": self.state_hash}


def put_split(split: Mapping[str, int], mirror: Mapping[str, int]) -> Step:
    """The step that orders a complete split."""
    return Step("put_split", traffic.normalise(split), traffic.normalise(mirror))


def steps_from_json(data: list[dict[str, Any]]) -> tuple[Step, ...]:
    """Steps as stored; a verb that this version does not know raises ValueError rather than being skipped."""
    return tuple(_step_from_json(item) for item in data)


def _step_from_json(item: dict[str, Any]) -> Step:
    if item["verb"] != "put_split":
        raise ValueError(f"unknown step {item['verb']!r}")
    return put_split(item["split"], item["mirror"])


def base_from_json(data: dict[str, Any]) -> Base:
    return Base(traffic.normalise(data["split"]), traffic.normalise(data["mirror"]), data["state_hash"])


def content_hash(*, change_id: int, number: int, steps: tuple[Step, ...], base: Base) -> str:
    """SHA-256, hex, over canonical JSON of everything that an approval must cover."""
    content = {
        "change": change_id,
        "revision": number,
        "steps": [step.as_json() for step in steps],
        "base": base.as_json(),
    }
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
