"""Whether a document can be an autoscale setting at all: profiles with bounds that follow each other. Pure.

Whether its rules are sensible is judged elsewhere, by who proposes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BOUNDS = ("minimum", "default", "maximum")


def shape_problems(document: Mapping[str, Any], *, most: int) -> list[str]:
    """What is wrong with it, in words. `document` is Azure's whole setting, or its properties alone."""
    properties = document.get("properties", document)
    profiles = properties.get("profiles") if isinstance(properties, Mapping) else None
    if not isinstance(profiles, list) or not profiles:
        return ["An autoscale setting has at least one profile; this one has none that can be read."]
    return [told for profile in profiles for told in _profile(profile, most)]


def bounds(profile: Any) -> tuple[int, int, int] | None:
    """Minimum, default and maximum of a profile; None where they can't be understood."""
    capacity = profile.get("capacity") if isinstance(profile, Mapping) else None
    found = [_whole(capacity.get(name)) for name in _BOUNDS] if isinstance(capacity, Mapping) else []
    least, usual, highest = found if found else (None, None, None)
    if least is None or usual is None or highest is None:
        return None
    return least, usual, highest


def _profile(profile: Any, most: int) -> list[str]:
    name = str(profile.get("name") or "A profile") if isinstance(profile, Mapping) else "A profile"
    found = bounds(profile)
    if found is None:
        return [f"{name}: minimum, default and maximum must be whole numbers of instances."]
    least, usual, highest = found
    if not 1 <= least <= highest <= most:
        return [f"{name}: from 1 to {most} instances can be asked for; these are {least} to {highest}."]
    if not least <= usual <= highest:
        return [f"{name}: its default of {usual} is not between {least} and {highest}."]
    return []


def _whole(value: Any) -> int | None:
    """Azure sends these as text."""
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not str(value).isdecimal():
        return None
    return int(value)
