"""Names of models, environments and code out of the ids that Azure uses for them. Pure."""

from __future__ import annotations

import re

_VERSIONED = re.compile(r"/(?P<name>[^/]+)/versions/(?P<version>[^/]+)/?$", re.IGNORECASE)
_LABELLED = re.compile(r"/(?P<name>[^/]+)/labels/(?P<version>[^/]+)/?$", re.IGNORECASE)


def short(asset: str) -> str:
    """`risk:7` out of an ARM id, a registry id or `azureml:risk:7`; "" when there is none; else the text itself."""
    found = _VERSIONED.search(asset)
    if found:
        return f"{found['name']}:{found['version']}"
    labelled = _LABELLED.search(asset)
    if labelled:
        return f"{labelled['name']}@{labelled['version']}"
    return asset.removeprefix("azureml:")
