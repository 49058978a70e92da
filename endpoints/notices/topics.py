"""What may be told outside the portal: a closed table. A message of another topic is a mistake in the code. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

CHECKPOINT, BROKEN, TEST = "audit.checkpoint", "audit.broken", "notices.test"


@dataclass(frozen=True, slots=True)
class Topic:
    """`of_workspaces`: its messages belong to a workspace, so that a channel of one may take them."""

    name: str
    says: str
    of_workspaces: bool = True


TOPICS: Mapping[str, Topic] = MappingProxyType(
    {
        topic.name: topic
        for topic in (
            Topic(CHECKPOINT, "a signed checkpoint of the audit ledger, to be kept", of_workspaces=False),
            Topic(BROKEN, "the audit ledger was found altered or cut", of_workspaces=False),
            Topic("case.raised", "a challenge case was raised"),
            Topic("case.assigned", "a challenge case was assigned"),
            Topic("case.due", "a challenge case presses, or its time is over"),
            Topic("case.decided", "a challenge case was decided"),
            Topic("export.done", "an export that somebody asked for is ready"),
            Topic("capacity.report", "the weekly report of what capacity cost and could save"),
            Topic("capacity.budget", "spending on capacity passes, or will pass, its plan"),
            Topic("capacity.duplicate", "a canary became capacity that is paid for twice"),
            Topic("capacity.rebound", "a saving that was verified did not last"),
        )
    }
)


def unfit(names: Iterable[str], *, of_workspace: bool) -> str:
    """Why a channel can't take these topics, as a sentence; "" when it can."""
    wanted = list(names)
    if not wanted:
        return "Choose at least one kind of message."
    for name in wanted:
        if name not in TOPICS:
            return f"There is no kind of message {name[:60]!r}; there are: {', '.join(TOPICS)}."
        if of_workspace and not TOPICS[name].of_workspaces:
            return f"{name} concerns the whole installation, and this would be of one workspace."
    return ""


def is_known(name: str) -> bool:
    """Whether a message may have this topic; a test is of no channel's choice."""
    return name in TOPICS or name == TEST
