"""What the portal's identity must, may and should not be allowed to do in Azure, and how to say so. Pure.

Azure grants patterns with `*`, compared without case; what one assignment excludes another may still grant.
Secrets are read by leave of their vault (`Microsoft.KeyVault/vaults/secrets/getSecret/action`, a data action,
or an access policy): a workspace's or subscription's permissions don't tell it, only an attempt does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from endpoints.azure_gateway.records import Permission

_WORKSPACES = "Microsoft.MachineLearningServices/workspaces"
_ENDPOINTS = f"{_WORKSPACES}/onlineEndpoints"
_LOCATIONS = "Microsoft.MachineLearningServices/locations"


@dataclass(frozen=True, slots=True)
class Action:
    """A role action and what it is to us. `essential` ones are needed by everything that exists today."""

    name: str
    purpose: str
    essential: bool = True


REQUIRED: tuple[Action, ...] = (
    Action(f"{_WORKSPACES}/read", "read the workspace and its region"),
    Action(f"{_ENDPOINTS}/read", "read endpoints and their traffic"),
    Action(f"{_ENDPOINTS}/deployments/read", "read deployments"),
    Action(f"{_ENDPOINTS}/write", "apply approved traffic changes and roll them back"),
    Action("Microsoft.Insights/metrics/read", "read latency, errors and load", essential=False),
    Action(
        "Microsoft.Insights/diagnosticSettings/read",
        "tell where logs and metrics are exported to",
        essential=False,
    ),
    Action(f"{_ENDPOINTS}/deployments/write", "change instance counts", essential=False),
    Action(f"{_ENDPOINTS}/deployments/delete", "delete a deployment when that is approved", essential=False),
    Action(
        f"{_ENDPOINTS}/delete", "delete an endpoint, with all in it, when that is approved", essential=False
    ),
    Action(
        f"{_ENDPOINTS}/score/action",
        "probe deployments of endpoints with Entra authentication",
        essential=False,
    ),
)

# Asked of the subscription: what a workspace's permissions say about them counts for nothing.
OF_SUBSCRIPTION: tuple[Action, ...] = (
    Action("Microsoft.Insights/metrics/read", "read metrics of many resources at once", essential=False),
    Action(f"{_LOCATIONS}/vmSizes/read", "tell sizes of machines and what they cost", essential=False),
    Action(
        "Microsoft.Insights/autoscaleSettings/read", "tell which autoscale rules are wrong", essential=False
    ),
    Action(f"{_LOCATIONS}/usages/read", "tell whether there is quota to scale out", essential=False),
    Action(
        "Microsoft.Insights/eventtypes/values/read",
        "tell who changed an endpoint outside of it",
        essential=False,
    ),
)

# Asked of the workspace's resource group: that is where autoscale settings are.
OF_GROUP: tuple[Action, ...] = (
    Action(
        "Microsoft.Insights/autoscaleSettings/write", "set autoscale when that is approved", essential=False
    ),
    Action(
        "Microsoft.Insights/autoscaleSettings/delete",
        "take an autoscale setting away when that is approved",
        essential=False,
    ),
)

UNWANTED: tuple[Action, ...] = (
    Action(f"{_ENDPOINTS}/listKeys/action", "could read every endpoint's keys, which the portal never needs"),
    Action(f"{_ENDPOINTS}/regenerateKeys/action", "could replace keys and cut callers off"),
    Action(f"{_ENDPOINTS}/token/action", "could take scoring tokens"),
    Action("Microsoft.Authorization/roleAssignments/write", "could grant itself, and others, anything"),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is missing and what is too much, in the order of the tables above."""

    missing: tuple[Action, ...]
    superfluous: tuple[Action, ...]

    @property
    def sufficient(self) -> bool:
        """Whether everything essential is granted."""
        return not any(action.essential for action in self.missing)

    def sentences(self) -> list[str]:
        """For people: one sentence per finding, none when all is well."""
        return [
            f"Missing{'' if action.essential else ' (optional today)'}: {action.name}. "
            f"Without it the portal can't {action.purpose}."
            for action in self.missing
        ] + [
            f"Not needed: {action.name}. With it the identity {action.purpose}."
            for action in self.superfluous
        ]


def judge(
    permissions: Sequence[Permission],
    *,
    required: Iterable[Action] = REQUIRED,
    unwanted: Iterable[Action] = UNWANTED,
) -> Verdict:
    """Compare what is granted with what is needed."""
    return Verdict(
        missing=tuple(action for action in required if not allows(permissions, action.name)),
        superfluous=tuple(action for action in unwanted if allows(permissions, action.name)),
    )


def allows(permissions: Iterable[Permission], action: str) -> bool:
    """Whether any one assignment grants the action and does not exclude it itself."""
    return any(
        _any_matches(permission.actions, action) and not _any_matches(permission.not_actions, action)
        for permission in permissions
    )


def _any_matches(patterns: Iterable[str], action: str) -> bool:
    return any(_compiled(pattern).fullmatch(action) for pattern in patterns)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.IGNORECASE)
