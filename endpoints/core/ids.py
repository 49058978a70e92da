"""Ids that travel between rooms as text, so that a low room never needs to know a high one.

A Ref is `kind:number` ("change:42", "user:7"); the ledger, causes and subjects hold nothing else.
ARM ids are compared without case, as Azure does.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

_REF = re.compile(r"^[a-z][a-z_-]*:[A-Za-z0-9_.-]{1,80}$")
_WORKSPACE = re.compile(
    r"^/subscriptions/(?P<subscription>[0-9a-f-]{36})/resourcegroups/(?P<group>[-\w.()]{1,90})"
    r"/providers/microsoft\.machinelearningservices/workspaces/(?P<workspace>[a-z0-9][\w-]{1,62})$",
    re.IGNORECASE,
)


def ref(kind: str, number: int | str) -> str:
    """`ref("change", 42)` is "change:42"; anything that is no ref raises ValueError."""
    text = f"{kind}:{number}"
    if not _REF.match(text):
        raise ValueError(f"not a reference: {text!r}")
    return text


def split_ref(text: str) -> tuple[str, str]:
    """("change", "42") out of "change:42"."""
    if not _REF.match(text):
        raise ValueError(f"not a reference: {text!r}")
    kind, _, rest = text.partition(":")
    return kind, rest


@dataclass(frozen=True, slots=True)
class WorkspaceId:
    """The parts of an Azure Machine Learning workspace's ARM id."""

    subscription: str
    resource_group: str
    name: str

    def __str__(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"
        )


def parse_workspace_id(text: str) -> WorkspaceId:
    """The workspace that an ARM id names; ValueError with a sentence for people when it names none."""
    found = _WORKSPACE.match(text.strip().rstrip("/"))
    if not found:
        raise ValueError(
            "This is not the ARM id of a workspace. It looks like /subscriptions/…/resourceGroups/…/providers/"
            "Microsoft.MachineLearningServices/workspaces/NAME."
        )
    return WorkspaceId(found["subscription"].lower(), found["group"], found["workspace"])


def same_arm_id(one: str, other: str) -> bool:
    """ARM ids are equal whatever their case and trailing slash."""
    return arm_key(one) == arm_key(other)


def arm_key(arm_id: str) -> str:
    """The form of an ARM id under which it is stored and compared."""
    return arm_id.strip().rstrip("/").lower()


def new_request_id() -> str:
    """A fresh id for one request, call or event: random, 32 hex digits."""
    return uuid.uuid4().hex
