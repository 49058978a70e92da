"""What Azure has beside what is mirrored: endpoints of a subscription that no connected workspace covers. Pure.

Resource Graph is minutes behind the truth, so a difference in a connected workspace says little: its own reading
decides there. What it alone can tell is what lies in workspaces that nobody connected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from endpoints.core.ids import arm_key

_BELOW = "/onlineendpoints/"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A workspace that is not connected, and how many endpoints it has."""

    workspace: str
    endpoints: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """`found` endpoints in all, `connected` of them in workspaces that are; the others by workspace, most first."""

    found: int
    connected: int
    elsewhere: tuple[Elsewhere, ...]

    def sentence(self, mirrored: int) -> str:
        """What was found, for people."""
        text = f"Azure has {self.found:,} endpoints here; {mirrored:,} are mirrored."
        if not self.elsewhere:
            return text
        outside = self.found - self.connected
        return f"{text} {outside:,} are in {_workspaces(len(self.elsewhere))} that nobody connected."


def coverage(arm_ids: Iterable[str], connected: Collection[str]) -> Coverage:
    """Count endpoints by workspace. `connected` are ARM ids of workspaces; ids that name no endpoint are left out."""
    counts = Counter(workspace for arm_id in arm_ids if (workspace := workspace_of(arm_id)))
    known = {arm_key(arm_id) for arm_id in connected}
    others = sorted(
        (Elsewhere(name, n) for name, n in counts.items() if name not in known),
        key=lambda one: (-one.endpoints, one.workspace),
    )
    found = counts.total()
    return Coverage(found, found - sum(one.endpoints for one in others), tuple(others))


def workspace_of(arm_id: str) -> str:
    """The workspace of an endpoint, as `arm_key` writes it; "" when the id is none of an endpoint."""
    workspace, below, name = arm_key(arm_id).partition(_BELOW)
    return workspace if below and name and "/" not in name else ""


def _workspaces(count: int) -> str:
    return "a workspace" if count == 1 else f"{count:,} workspaces"
