"""Which endpoints a freeze applies to. What is given must all be true; what is not given narrows nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from endpoints.core.errors import Invalid

_LONGEST = 256
_PATTERN = re.compile(r"[a-z0-9*?-]{1,64}")


@dataclass(frozen=True, slots=True)
class Scope:
    """`workspace_id` None: all. `name_pattern` knows * and ?; `tag` is "name" or "name=value"; "" is any."""

    workspace_id: int | None = None
    name_pattern: str = ""
    owner: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What of an endpoint decides. Azure compares names of endpoints and tags without case, values of tags with."""

    workspace_id: int
    name: str
    owner: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


def applies(scope: Scope, target: Target) -> bool:
    """Whether the scope takes the endpoint in."""
    return (
        scope.workspace_id in (None, target.workspace_id)
        and (not scope.name_pattern or fnmatchcase(target.name.lower(), scope.name_pattern.lower()))
        and (not scope.owner or scope.owner.casefold() == target.owner.casefold())
        and (not scope.tag or _has_tag(scope.tag, target.tags))
    )


def checked(scope: Scope) -> Scope:
    """The scope without stray blanks. Invalid names the field: name_pattern, owner or tag."""
    found = replace(
        scope,
        name_pattern=scope.name_pattern.strip().lower(),
        owner=scope.owner.strip(),
        tag="=".join(part.strip() for part in scope.tag.split("=", 1)),
    )
    if found.name_pattern and not _PATTERN.fullmatch(found.name_pattern):
        raise Invalid(
            {
                "name_pattern": [
                    "An endpoint's name has letters, digits and hyphens; * and ? stand for any of them."
                ]
            }
        )
    for name, text in (("owner", found.owner), ("tag", found.tag)):
        if len(text) > _LONGEST:
            raise Invalid({name: [f"At most {_LONGEST} characters; these are {len(text)}."]})
    if found.tag.startswith("="):
        raise Invalid({"tag": ["A tag's name is missing before the =."]})
    return found


def describe(scope: Scope, workspace: str) -> str:
    """In words: "endpoints fraud-* of mlw-prod, owned by team-risk, tagged tier=1"."""
    which = f"endpoints {scope.name_pattern}" if scope.name_pattern else "all endpoints"
    parts = [f"{which} of {workspace}" if scope.workspace_id is not None else f"{which} of all workspaces"]
    if scope.owner:
        parts.append(f"owned by {scope.owner}")
    if scope.tag:
        parts.append(f"tagged {scope.tag}")
    return ", ".join(parts)


def _has_tag(tag: str, tags: Mapping[str, str]) -> bool:
    name, has_value, value = tag.partition("=")
    by_name = {key.lower(): str(found) for key, found in tags.items()}
    found = by_name.get(name.lower())
    return found is not None and (not has_value or found == value)
