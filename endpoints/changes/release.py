"""What a change left behind, as files that `az ml` takes and as a record for people. Pure.

A file is YAML with comments on top that say whose state it is and what of it the file can't hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import yaml

from endpoints.inventory import azml
from endpoints.inventory.assets import short


@dataclass(frozen=True, slots=True)
class File:
    """`left_out` says in sentences what of the state is not in the text."""

    name: str
    text: str
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """What one deployment ran; "" where Azure did not say. `weight` None: the split is not certain."""

    deployment: str
    weight: int | None
    model: str
    environment: str
    code: str
    instance_type: str
    instance_count: int | None


def endpoint_file(
    number: str, at: datetime, name: str, state: Mapping[str, Any], *, ended: bool = True
) -> File:
    """`endpoint.yml`. Azure takes traffic to deployments that stand: a new one gets it last.

    `ended` False: of an endpoint that the change is about to delete.
    """
    body = azml.endpoint(name, state)
    hint = [
        "To make it anew, leave traffic and mirror_traffic out, make its deployments, and run the traffic command."
    ]
    head = _head(number, at) if ended else f"{_kept(number, at)} Its traffic is that from before {number}."
    return _file("endpoint.yml", head, body, hint if "traffic" in body.values else [])


def deployment_file(
    number: str, at: datetime, endpoint: str, name: str, state: Mapping[str, Any], *, ended: bool = True
) -> File:
    """`blue.yml`. `ended` False: of a deployment that the change is about to delete."""
    head = _head(number, at) if ended else _kept(number, at)
    return _file(f"{name}.yml", head, azml.deployment(endpoint, name, state), [])


def version(name: str, state: Mapping[str, Any], split: Mapping[str, int] | None) -> Version:
    """The versions behind one deployment's share."""
    return Version(
        deployment=name,
        weight=None if split is None else split.get(name.lower(), 0),
        model=short(str(state.get("model") or "")),
        environment=short(str(state.get("environment") or "")),
        code=short(str(state.get("code_id") or "")),
        instance_type=str(state.get("instance_type") or ""),
        instance_count=state.get("instance_count"),
    )


def _head(number: str, at: datetime) -> str:
    return f"As Azure reported it when {number} ended, {at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC."


def _kept(number: str, at: datetime) -> str:
    return f"As Azure reported it {at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, before {number} deleted it."


def _file(name: str, head: str, body: azml.Body, hints: Iterable[str]) -> File:
    comments = [head, *hints, *(f"Not in this file: {text}" for text in body.left_out)]
    # No comment of ours may end, whatever a name in it holds: a new line would be YAML.
    told = "".join(f"# {' '.join(text.split())}\n" for text in comments)
    text = yaml.safe_dump(body.values, sort_keys=False, allow_unicode=True, width=110)
    return File(name, told + text, tuple(body.left_out))
