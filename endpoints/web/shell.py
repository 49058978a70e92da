"""What is around every page: navigation with what waits for the person, zone, theme, the executor's pulse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.http import HttpRequest
from django.urls import reverse

from endpoints.access.policies import Action, Principal, decide, may_anywhere
from endpoints.audit.selectors import open_ways
from endpoints.challenges.selectors.queue import waiting_count
from endpoints.changes import selectors as changes
from endpoints.inventory import selectors as inventory
from endpoints.web import display
from endpoints.web.banners import Banner, banners

ZONE_COOKIE = "zone"
THEME_COOKIE = "theme"
THEMES = ("light", "dark")
SETTINGS = (
    ("Workspaces", "workspaces"),
    ("Approval rules", "rules_index"),
    ("Rollout templates", "templates_index"),
    ("Challenge policy", "policies_index"),
    ("Profile", "profile"),
    ("API tokens", "tokens"),
)
NOTICES = ("Notices", "notices")


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the navigation. `due` marks a count of things that wait for this person."""

    label: str
    href: str
    current: bool
    count: int | None = None
    due: bool = False
    note: str = ""
    children: tuple[NavItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame of one page for one person."""

    name: str
    nav: tuple[NavItem, ...]
    theme: str
    shortcuts: bool
    zone_label: str
    other_zone: str
    other_zone_label: str
    here: str
    query: str
    executor_alive: bool
    executor_age: float | None
    stops: tuple[Banner, ...] = ()
    ledger_open: tuple[str, ...] = ()


def zone_choice(request: HttpRequest) -> Literal["utc", "home"]:
    """Which zone the person chose to see: UTC until they choose their own."""
    return "home" if request.COOKIES.get(ZONE_COOKIE) == "home" else "utc"


def shell_for(
    request: HttpRequest, principal: Principal, section: str, *, endpoints: int | None = None
) -> Shell:
    """The frame of this request's page: a query for the pulse, one for stops, one for the endpoints if not given."""
    shown, home = display.current().zone, display.current().home
    own = shown is home and shown is not display.UTC_ZONE
    pulse = changes.pulse(principal)
    if endpoints is None:
        endpoints = inventory.endpoint_count(principal)
    theme = request.COOKIES.get(THEME_COOKIE, "")
    about = request.resolver_match.kwargs if request.resolver_match else {}
    stops, stopped = banners(principal, ws=str(about.get("ws", "")), name=str(about.get("name", "")))
    return Shell(
        name=principal.display_name,
        nav=_nav(principal, section, endpoints, pulse, stopped),
        theme=theme if theme in THEMES else "",
        shortcuts=principal.shortcuts_enabled,
        zone_label=str(home) if own else "UTC",
        other_zone="utc" if own else "home",
        other_zone_label="UTC" if own else str(home),
        here=request.get_full_path() if request.method == "GET" else request.path,
        query=request.GET.get("q", "")[:200] if section == "search" else "",
        executor_alive=pulse.executor.alive,
        executor_age=pulse.executor.age,
        stops=stops,
        ledger_open=open_ways(),
    )


def _nav(
    principal: Principal, section: str, endpoints: int, pulse: changes.Pulse, stopped: int
) -> tuple[NavItem, ...]:
    items = [
        NavItem("Fleet", reverse("web:fleet"), section == "fleet", endpoints),
        NavItem(
            "Changes",
            reverse("web:changes"),
            section == "changes",
            pulse.waiting or None,
            due=True,
            note="waiting for you",
        ),
    ]
    items.append(
        NavItem(
            "Rollouts", reverse("web:rollouts"), section == "rollouts", pulse.running or None, note="at work"
        )
    )
    items.append(
        NavItem(
            "Holds", reverse("web:holds"), section == "holds", stopped or None, due=True, note="stopped now"
        )
    )
    if may_anywhere(principal, Action.PREDICTIONS_VIEW):
        items.append(
            NavItem(
                "Challenges",
                reverse("web:challenges"),
                section == "challenges",
                waiting_count(principal) or None,
                due=True,
                note="waiting for you",
            )
        )
    if may_anywhere(principal, Action.CAPACITY_VIEW):
        items.append(NavItem("Capacity", reverse("web:capacity"), section == "capacity"))
    items.append(NavItem("Telemetry", reverse("web:telemetry"), section == "telemetry"))
    # Who manages the installation may hold no role on any workspace by its name.
    if may_anywhere(principal, Action.BUDGET_DECIDE) or decide(principal, Action.WORKSPACE_CONNECT):
        items.append(NavItem("Budgets", reverse("web:budgets"), section == "budgets"))
    if may_anywhere(principal, Action.AUDIT_READ):
        items.append(NavItem("Audit", reverse("web:audit"), section == "audit"))
    items.append(_settings(principal, section))
    return tuple(items)


def _settings(principal: Principal, section: str) -> NavItem:
    pages = (*SETTINGS, NOTICES) if decide(principal, Action.NOTICES_VIEW) else SETTINGS
    children = tuple(NavItem(label, reverse(f"web:{name}"), section == name) for label, name in pages)
    inside = any(child.current for child in children)
    return NavItem("Settings", reverse("web:workspaces"), False, children=children if inside else ())
