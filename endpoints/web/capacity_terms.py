"""What findings are called: what to do, where they stand, how sure and how risky. Pure."""

from __future__ import annotations

from endpoints.capacity import alerts
from endpoints.capacity.causes import WORDS, Cause
from endpoints.capacity.life import ENDED, State
from endpoints.capacity.proposals import Kind
from endpoints.capacity.selectors.findings import FindingRow
from endpoints.web.states import Sign
from endpoints.web.wording import NBSP, plural

KINDS = {
    Kind.DELETE: "Delete a deployment",
    Kind.DELETE_ENDPOINT: "Delete an endpoint",
    Kind.SHRINK: "Fewer instances",
    Kind.RESIZE: "Smaller machines",
    Kind.SCHEDULE: "Down while nobody works",
    Kind.AUTOSCALE: "Scale by load",
    Kind.FIX_AUTOSCALE: "Put an autoscale rule right",
    Kind.BATCH: "Score in batches",
}
DELETES = frozenset({Kind.DELETE, Kind.DELETE_ENDPOINT})
AS_WORK = frozenset({Kind.RESIZE, Kind.BATCH})
"""No change does it: it becomes somebody's work, with a date."""
IN_BULK = frozenset(Kind) - DELETES - AS_WORK

TO_DO = "todo"
GROUPS: dict[str, tuple[str, tuple[State, ...]]] = {
    TO_DO: ("To do", (State.OPEN, State.CLAIMED)),
    "filed": ("Filed", (State.FILED,)),
    "acted": ("Done, being measured", (State.ACTED,)),
    "verified": ("Saved", (State.VERIFIED,)),
    "postponed": ("Put off", (State.POSTPONED,)),
    "dismissed": ("Turned down", (State.DISMISSED,)),
    "ended": ("Over", tuple(sorted(ENDED))),
    "all": ("All", ()),
}
"""What the filter of states offers, and the states of each; none: every state."""

ALERTS = {
    alerts.Kind.OVER_PLAN: "Over plan",
    alerts.Kind.WILL_PASS_PLAN: "Will pass its plan",
    alerts.Kind.DUPLICATE: "Paid for twice",
    alerts.Kind.REBOUND: "Saving did not last",
    alerts.Kind.UNPRICED: "No price",
}

_SIGNS = {
    State.OPEN: Sign("waiting", "Open", "Nobody is at it yet."),
    State.CLAIMED: Sign("running", "Claimed", "Somebody is at it; what it says stays as it is."),
    State.FILED: Sign("waiting", "Filed", "A change was asked for and goes its way."),
    State.POSTPONED: Sign("held", "Put off", "It comes back by itself."),
    State.DISMISSED: Sign("off", "Turned down", "It comes back when the facts are others."),
    State.ACTED: Sign("running", "Done, being measured", "What it really saves is compared hour by hour."),
    State.VERIFIED: Sign("done", "Saved", "The ledger shows the saving."),
    State.GONE: Sign("off", "Gone", "There is nothing to save any more."),
    State.DONE: Sign("quiet", "Over", "The saving held."),
}


def sign_of(state: str) -> Sign:
    """A finding's state as a sign; one that nobody here knows is told as it is."""
    return _SIGNS[State(state)] if state in {*State} else Sign("unknown", state)


def kind_words(kind: str) -> str:
    return KINDS[Kind(kind)] if kind in {*Kind} else kind


def cause_words(cause: str) -> str:
    return WORDS[Cause(cause)] if cause in {*Cause} else cause


def where(row: FindingRow) -> str:
    """`rank-home/green`; of a whole endpoint its name."""
    return f"{row.endpoint}/{row.deployment}" if row.deployment else row.endpoint


def size(sku: str, instances: int | None) -> str:
    """`DS3_v2 x 4`; the prefix that all sizes have is left out."""
    name = sku[len("standard_") :] if sku.lower().startswith("standard_") else sku
    count = "?" if instances is None else f"{instances}"
    return f"{name or 'size not known'}{NBSP}x{NBSP}{count}"


def verb(row: FindingRow) -> str:
    """What the action does, as a button says it."""
    told = row.told
    match row.kind:
        case Kind.DELETE:
            return f"Delete {row.deployment}"
        case Kind.DELETE_ENDPOINT:
            return f"Delete endpoint {row.endpoint}"
        case Kind.SHRINK if told.instances is not None:
            return f"Bring {row.deployment} to {plural(told.instances, 'instance')}"
        case Kind.RESIZE:
            return f"Move {row.deployment} to {told.sku}"
        case Kind.SCHEDULE:
            return f"Bring {row.deployment} down while nobody works"
        case Kind.AUTOSCALE:
            return f"Scale {row.deployment} by load"
        case Kind.FIX_AUTOSCALE:
            return f"Put the autoscale rule of {row.deployment} right"
        case Kind.BATCH:
            return f"Move {row.deployment} to batch scoring"
        case _:
            return f"{kind_words(row.kind)}: {where(row)}"
