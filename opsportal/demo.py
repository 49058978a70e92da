"""The demo's people, workspaces and first changes, made through the same services as everything else."""

from __future__ import annotations

from dataclasses import dataclass

from endpoints.access.roles import Role

PASSWORD = "open-the-demo-2026"

PROD_WEU, PROD_NEU, GOV_WEU = "mlw-prod-weu", "mlw-prod-neu", "mlw-gov-weu"
RETAIL = (PROD_WEU, PROD_NEU)
EVERYWHERE = (PROD_WEU, PROD_NEU, GOV_WEU)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace of the emulated fleet."""

    slug: str
    arm_id: str
    region: str


@dataclass(frozen=True, slots=True)
class Person:
    """An account, its roles, and the workspaces on which it has them; none: the whole installation."""

    username: str
    name: str
    roles: tuple[Role, ...]
    where: tuple[str, ...]
    does: str


def _workspace(subscription: str, group: str, slug: str, region: str) -> Workspace:
    arm_id = (
        f"/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{slug}"
    )
    return Workspace(slug, arm_id, region)


def workspace(arm_id: str, region: str = "") -> Workspace:
    """A workspace of another fleet, under its own name."""
    return Workspace(arm_id.rpartition("/")[2], arm_id, region)


RETAIL_SUBSCRIPTION = "3f2a7c10-5b1e-4c4e-9a55-0e6f1b2d7a01"
CITY_SUBSCRIPTION = "9d41b6e2-8c07-4f6b-8f1d-52c3a4e5b602"

WORKSPACES = (
    _workspace(RETAIL_SUBSCRIPTION, "rg-ml-prod-weu", PROD_WEU, "westeurope"),
    _workspace(RETAIL_SUBSCRIPTION, "rg-ml-prod-neu", PROD_NEU, "northeurope"),
    _workspace(CITY_SUBSCRIPTION, "rg-ml-gov", GOV_WEU, "westeurope"),
)

PEOPLE = (
    Person("novak", "A. Novak", (Role.REQUESTER,), RETAIL, "asks for traffic changes"),
    Person("okafor", "R. Okafor", (Role.REVIEWER,), EVERYWHERE, "reviews and starts them"),
    Person("silva", "M. Silva", (Role.REVIEWER, Role.REQUESTER), (PROD_WEU,), "asks and reviews, never both"),
    Person("berg", "O. Berg", (Role.OPERATOR,), EVERYWHERE, "is on call: starts, rolls back"),
    Person("haddad", "S. Haddad", (Role.SUPERVISOR,), EVERYWHERE, "answers for predictions"),
    Person(
        "reyes", "T. Reyes", (Role.SUPERVISOR,), (GOV_WEU,), "confirms what S. Haddad decided for the city"
    ),
    Person("costa", "F. Costa", (Role.FINOPS,), EVERYWHERE, "watches what capacity costs"),
    Person("lund", "D. Lund", (Role.AUDITOR,), (), "audits everything"),
    Person("admin", "Ana Petrova", (Role.ADMIN,), (), "connects workspaces, grants roles"),
)
