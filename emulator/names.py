"""ARM ids: how they are built, and the lower-case key under which a resource is found again.

ARM compares ids without regard to case but gives them back as they were written at creation.
"""

from __future__ import annotations

import re

NAMESPACE = "Microsoft.MachineLearningServices"
WORKSPACE_TYPE = f"{NAMESPACE}/workspaces"
ENDPOINT_TYPE = f"{WORKSPACE_TYPE}/onlineEndpoints"
DEPLOYMENT_TYPE = f"{ENDPOINT_TYPE}/deployments"
AUTOSCALE_TYPE = "Microsoft.Insights/autoscaleSettings"

_NAME = re.compile(r"[a-zA-Z](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")


def workspace_id(subscription: str, group: str, workspace: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{WORKSPACE_TYPE}/{workspace}"


def endpoint_id(workspace: str, name: str) -> str:
    return f"{workspace}/onlineEndpoints/{name}"


def deployment_id(endpoint: str, name: str) -> str:
    return f"{endpoint}/deployments/{name}"


def autoscale_id(subscription: str, group: str, name: str) -> str:
    """As Azure writes it: the provider and its type in lower case."""
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{AUTOSCALE_TYPE.lower()}/{name}"


def autoscale_drawer(subscription: str) -> str:
    """Where autoscale settings are held, so that they are never taken for workspaces."""
    return f"/subscriptions/{subscription}/autoscalesettings"


def key(resource_id: str) -> str:
    return resource_id.lower()


def parent_key(resource_id: str) -> str:
    """The key of what holds this resource: deployment > endpoint > workspace > subscription."""
    parts = key(resource_id).split("/")
    if len(parts) == 9 and parts[7] == "autoscalesettings":
        return autoscale_drawer(parts[2])
    return "/".join(parts[:3] if len(parts) <= 9 else parts[:-2])


def last(resource_id: str) -> str:
    return resource_id.rsplit("/", 1)[-1]


def subscription_of(resource_id: str) -> str:
    return resource_id.split("/")[2]


def is_valid(name: str) -> bool:
    """The rule for names of endpoints and deployments: a letter first, 3 to 32 letters, digits and dashes."""
    return 3 <= len(name) <= 32 and _NAME.fullmatch(name) is not None
