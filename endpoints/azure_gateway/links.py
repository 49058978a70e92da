"""Where a resource is found in Microsoft's own pages. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from endpoints.azure_gateway.settings import CloudSettings

_PARTS = re.compile(
    r"(?P<workspace>/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/workspaces/[^/]+)"
    r"(?:/onlineEndpoints/(?P<endpoint>[^/]+))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Links:
    """Pages about one resource: Studio, the Azure portal, its metrics in Azure Monitor."""

    studio: str
    portal: str
    monitor: str


def links(cloud: CloudSettings, arm_id: str, *, tenant_id: str = "") -> Links:
    """Links for a workspace, endpoint or deployment. Studio shows deployments on their endpoint's page."""
    found = _PARTS.match(arm_id)
    if not found:
        raise ValueError(f"{arm_id!r} is not the ARM id of a workspace or of something in one.")
    query = {"wsid": found["workspace"]} | ({"tid": tenant_id} if tenant_id else {})
    page = f"/endpoints/realtime/{quote(found['endpoint'])}/detail" if found["endpoint"] else "/home"
    resource = f"{cloud.portal}/#{'@' + quote(tenant_id) + '/' if tenant_id else ''}resource{quote(arm_id)}"
    return Links(
        studio=f"{cloud.studio}{page}?{urlencode(query, safe='/')}",
        portal=f"{resource}/overview",
        monitor=f"{resource}/metrics",
    )
