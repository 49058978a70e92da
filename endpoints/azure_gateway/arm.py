"""ARM paths and the api-versions that the SDK of today uses for them. Pure.

Ids come from people and from rows: each is matched whole before it becomes a path, so that none can lead a
signed request elsewhere.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

ENDPOINTS = "2022-02-01-preview"
DEPLOYMENTS = "2023-04-01-preview"
WORKSPACES = "2024-10-01-preview"
PERMISSIONS = "2022-04-01"
METRICS = "2024-02-01"
DIAGNOSTIC_SETTINGS = "2021-05-01-preview"
RESOURCE_GRAPH = "2021-03-01"
COMPUTE = "2023-08-01-preview"
ACTIVITY = "2015-04-01"
KEY_VAULT = "7.4"
AUTOSCALE = "2022-10-01"
RETAIL = "2023-01-01-preview"

_SUBSCRIPTION = re.compile(r"[0-9a-f-]{1,64}", re.IGNORECASE)
_REGION = re.compile(r"[a-z0-9]{2,40}")
_WORKSPACE = (
    r"/subscriptions/(?P<subscription>[0-9a-f-]{1,64})/resourceGroups/[-\w.()]{1,90}"
    r"/providers/Microsoft\.MachineLearningServices/workspaces/[A-Za-z0-9][\w-]{1,62}"
)
_LOG_WORKSPACE = re.compile(
    r"/subscriptions/[0-9a-f-]{1,64}/resourceGroups/[-\w.()]{1,90}"
    r"/providers/Microsoft\.OperationalInsights/workspaces/[A-Za-z0-9][A-Za-z0-9-]{1,62}",
    re.IGNORECASE,
)
_AUTOSCALE = re.compile(
    r"/subscriptions/[0-9a-f-]{1,64}/resourceGroups/[-\w.()]{1,90}"
    r"/providers/Microsoft\.Insights/autoscalesettings/[-\w.()]{1,260}",
    re.IGNORECASE,
)
_ENDPOINT = _WORKSPACE + r"/onlineEndpoints/[A-Za-z0-9][\w-]{0,254}"
_DEPLOYMENT = _ENDPOINT + r"/deployments/[A-Za-z0-9][\w-]{0,254}"
_PATTERNS = {
    "workspace": re.compile(_WORKSPACE, re.IGNORECASE),
    "endpoint": re.compile(_ENDPOINT, re.IGNORECASE),
    "deployment": re.compile(_DEPLOYMENT, re.IGNORECASE),
}


def path(kind: str, arm_id: str) -> str:
    """The URL path of a "workspace", "endpoint" or "deployment"; ValueError when the id names none."""
    text = arm_id.strip().rstrip("/")
    if not _PATTERNS[kind].fullmatch(text):
        raise ValueError(f"{arm_id!r} is not the ARM id of {_article(kind)}.")
    return text


def resource_path(arm_id: str) -> str:
    """The URL path of a workspace, or of an endpoint or deployment in one."""
    text = arm_id.strip().rstrip("/")
    if not any(pattern.fullmatch(text) for pattern in _PATTERNS.values()):
        raise ValueError(f"{arm_id!r} is not the ARM id of a workspace, endpoint or deployment.")
    return text


def subscription_path(subscription: str) -> str:
    if not _SUBSCRIPTION.fullmatch(subscription):
        raise ValueError(f"{subscription!r} is not the id of a subscription.")
    return f"/subscriptions/{subscription}"


def log_workspace_path(arm_id: str) -> str:
    """The URL path of a Log Analytics workspace; ValueError when the id names none."""
    text = arm_id.strip().rstrip("/")
    if not _LOG_WORKSPACE.fullmatch(text):
        raise ValueError(f"{arm_id!r} is not the ARM id of a Log Analytics workspace.")
    return text


def autoscale_path(arm_id: str) -> str:
    """The URL path of an autoscale setting; ValueError when the id names none."""
    text = arm_id.strip().rstrip("/")
    if not _AUTOSCALE.fullmatch(text):
        raise ValueError(f"{arm_id!r} is not the ARM id of an autoscale setting.")
    return text


def region_name(region: str) -> str:
    """A region as paths name it: "West Europe" is "westeurope"; ValueError for what can't be one."""
    name = region.replace(" ", "").lower()
    if not _REGION.fullmatch(name):
        raise ValueError(f"{region!r} is not the name of an Azure region.")
    return name


def location_path(subscription: str, region: str) -> str:
    """Where Azure Machine Learning tells about one region of a subscription."""
    head = f"{subscription_path(subscription)}/providers/Microsoft.MachineLearningServices"
    return f"{head}/locations/{region_name(region)}"


def scope_path(scope: str) -> str:
    """A subscription, one of its resource groups, or a workspace or anything below it that this room knows."""
    text = scope.strip().rstrip("/")
    group = r"(/resourceGroups/[-\w.()]{1,90})?"
    if re.fullmatch(rf"/subscriptions/{_SUBSCRIPTION.pattern}{group}", text, re.IGNORECASE):
        return text
    if not any(pattern.fullmatch(text) for pattern in _PATTERNS.values()):
        raise ValueError(f"{scope!r} is not a scope whose permissions can be read.")
    return text


def subscription_of(url_or_path: str) -> str:
    """The subscription, lower-cased, that a path belongs to; "" when it names none."""
    parts = urlsplit(url_or_path).path.split("/", 3)
    return parts[2].lower() if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL, for comparing where two lead."""
    parts = urlsplit(url)
    return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or 443


def _article(kind: str) -> str:
    return f"an {kind}" if kind == "endpoint" else f"a {kind}"
