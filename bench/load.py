"""200 endpoints with 20 rollouts under way while 50 people browse, each one page every ten seconds.

Everything is real: emulator, web, executor, worker and beat as processes, PostgreSQL and Valkey. The executor's lag is
how much later than planned a step that bakes was looked at, sampled each second for every rollout.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import stage
from bench.figures import Figure
from bench.sync import connect_workspaces

if TYPE_CHECKING:
    from emulator.launch import Emulator
    from endpoints.access.policies import Principal
    from tests.support.databases import Database

FLEET, WORKSPACES = "200x3", 4
ROLLOUTS, PEOPLE, EVERY_SECONDS = 20, 50, 10.0
BAKE_SECONDS = 4 * 3600
LOOK_SECONDS = 15.0
WARM_UP_SECONDS, SYNC_SECONDS = 20.0, 180.0
ACCOUNTS = 5


def measure(seconds: float = 180.0) -> list[Figure]:
    stage.prepare()
    from opsportal.embedded.throwaway import Lease
    from tests.support import processes

    lease = Lease(stage.ROOT / ".var" / "test")
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        stack.callback(lease.close)
        database = stack.enter_context(stage.database())
        azure = stack.enter_context(stage.fleet(FLEET, workspaces=WORKSPACES, subscriptions=1))
        workspaces = connect_workspaces(azure)
        told = _told(database, azure, lease.servers.broker_url)
        url, _ = stack.enter_context(processes.web(told, Path(folder)))
        for name in ("executor", "worker", "beat"):
            stack.enter_context(processes.running(name, told, Path(folder)))
        _wait_for_the_fleet()
        people = _people(workspaces)
        rollouts = _start_rollouts(people)
        time.sleep(WARM_UP_SECONDS)
        walks = [_places(rollouts, random.Random(number)) for number in range(PEOPLE)]
        lags, pages = asyncio.run(_measure(url, rollouts, walks, seconds))
    return _figures(lags, pages)


def _told(database: Database, azure: Emulator, broker_url: str) -> dict[str, str]:
    from tests.support import processes

    return processes.environment(
        database,
        broker_url=broker_url,
        **azure.environment(),
        OPSPORTAL_AZURE_CLOUD="EmulatedCloud",
        OPSPORTAL_AZURE_RESOURCE_MANAGER=azure.arm,
        OPSPORTAL_AZURE_CA_BUNDLE=str(azure.ca_file),
    )


def _wait_for_the_fleet() -> None:
    from endpoints.inventory.models import Endpoint

    deadline = time.monotonic() + SYNC_SECONDS
    while Endpoint.objects.count() < 200:
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {Endpoint.objects.count()} of 200 endpoints were read")
        time.sleep(1)


def _people(workspaces: list[int]) -> dict[str, Principal]:
    """One of each role, with every workspace; reviewers and operators are also who browses."""
    from endpoints.access.models import User, Workspace
    from tests.support.people import make_person, principal

    slugs = list(Workspace.objects.filter(pk__in=workspaces).values_list("slug", flat=True))
    with _the_portals_hasher():
        made: dict[str, User] = {
            name: make_person(name, {slug: [role] for slug in slugs})
            for name, role in (("rosa", "requester"), ("vera", "reviewer"), ("omar", "operator"))
        }
        for number in range(ACCOUNTS):
            make_person(f"reader-{number}", {slug: ["reviewer"] for slug in slugs})
    return {name: principal(user) for name, user in made.items()}


@contextmanager
def _the_portals_hasher() -> Iterator[None]:
    """The tests' own fast hasher is not known to the real web process."""
    from django.test import override_settings

    from opsportal.settings import base

    with override_settings(PASSWORD_HASHERS=base.PASSWORD_HASHERS):
        yield


def _start_rollouts(people: dict[str, Principal]) -> list[int]:
    from endpoints.changes import services
    from endpoints.changes.draft import walk
    from endpoints.changes.gatespec import gate
    from endpoints.changes.selectors import change_detail
    from endpoints.changes.terms import Terms
    from endpoints.inventory.selectors import current_split, deployment_states

    terms = Terms(gates=tuple(gate(kind) for kind in ("errors", "errors_vs_stable", "p95_vs_stable", "cpu")))
    found: list[int] = []
    for endpoint_id in _endpoints():
        split = current_split(endpoint_id).traffic
        others = [
            one.name for one in deployment_states(endpoint_id) if one.can_serve and one.name not in split
        ]
        if len(split) != 1 or not others:
            continue
        draft = walk(split, others[0], [(5, BAKE_SECONDS, False), (10, BAKE_SECONDS, False)], terms)
        number = services.request_change(
            principal=people["rosa"], endpoint_id=endpoint_id, draft=draft, reason="Green is better"
        )
        detail = change_detail(people["vera"], number)
        if detail.blocking:
            continue
        accept = [check.name for check in detail.checks if check.needs_acceptance]
        seen: dict[str, Any] = {"change_id": number, "seen_hash": detail.content_hash, "accept": accept}
        services.approve_change(principal=people["vera"], **seen)
        services.start_change(principal=people["omar"], **seen)
        found.append(number)
        if len(found) == ROLLOUTS:
            _wait_until_baking(found)
            return found
    raise RuntimeError(f"only {len(found)} of {ROLLOUTS} rollouts could be started")


def _endpoints() -> list[int]:
    from endpoints.inventory.models import Endpoint

    return list(Endpoint.objects.order_by("pk").values_list("pk", flat=True))


def _wait_until_baking(numbers: list[int]) -> None:
    from endpoints.changes.models import Change

    deadline = time.monotonic() + SYNC_SECONDS
    while Change.objects.filter(pk__in=numbers, state="baking").count() < len(numbers):
        if time.monotonic() > deadline:
            states = list(Change.objects.filter(pk__in=numbers).values_list("pk", "state", "waiting_for"))
            raise RuntimeError(f"not all rollouts bake: {states}")
        time.sleep(1)


async def _measure(
    url: str, rollouts: list[int], walks: list[list[str]], seconds: float
) -> tuple[list[float], list[float]]:
    """Lags of the executor, and seconds that pages took, of everything that happens in this time."""
    lags: list[float] = []
    pages: list[float] = []
    until = time.monotonic() + seconds
    cookies = [await _sign_in(url, f"reader-{number}") for number in range(ACCOUNTS)]
    browsing = [
        _browse(url, cookies[number % ACCOUNTS], walk, pages, until) for number, walk in enumerate(walks)
    ]
    await asyncio.gather(_sample(lags, rollouts, until), *browsing)
    return lags, pages


async def _sign_in(url: str, username: str) -> dict[str, str]:
    import httpx

    from tests.support.people import PASSWORD

    async with httpx.AsyncClient(base_url=url) as client:
        asked = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', (await client.get("/login")).text)
        if asked is None:
            raise RuntimeError("the sign-in form has no token")
        form = {"username": username, "password": PASSWORD, "csrfmiddlewaretoken": asked[1]}
        answer = await client.post("/login", data=form, headers={"Referer": url})
        if answer.status_code != 302:
            raise RuntimeError(f"{username} could not sign in: {answer.status_code}")
        return dict(client.cookies)


async def _browse(
    url: str, cookies: dict[str, str], walk: list[str], taken: list[float], until: float
) -> None:
    """One person: a page every ten seconds, from a moment of their own on."""
    import httpx

    places = itertools.cycle(walk)
    await asyncio.sleep(random.Random(walk[0] + walk[-1]).uniform(0, EVERY_SECONDS))
    async with httpx.AsyncClient(base_url=url, cookies=cookies, timeout=30) as client:
        while time.monotonic() < until:
            began = time.monotonic()
            answer = await client.get(next(places))
            taken.append(time.monotonic() - began)
            if answer.status_code != 200:
                raise RuntimeError(f"{answer.url} answered {answer.status_code}")
            await asyncio.sleep(max(0.0, EVERY_SECONDS - (time.monotonic() - began)))


def _places(rollouts: list[int], rng: random.Random) -> list[str]:
    from endpoints.inventory.models import Endpoint

    rows = list(Endpoint.objects.order_by("pk").values_list("workspace__slug", "name")[:60])
    some = rng.sample(rows, k=6)
    walk = [
        "/fleet",
        "/changes?state=open",
        "/audit",
        *(f"/changes/CR-{number}/live" for number in rng.sample(rollouts, k=4)),
        f"/changes/CR-{rng.choice(rollouts)}",
        *(f"/w/{slug}/e/{name}/" for slug, name in some),
    ]
    rng.shuffle(walk)
    return walk


async def _sample(lags: list[float], rollouts: list[int], until: float) -> None:
    while time.monotonic() < until:
        lags += await asyncio.to_thread(_lags_now, rollouts)
        await asyncio.sleep(1)


def _lags_now(rollouts: list[int]) -> list[float]:
    """How many seconds each rollout's look is overdue; 0 for one that is not due yet."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM clock_timestamp() - baked_at) FROM changes_change "
            "WHERE id = ANY (%s) AND state = 'baking' AND baked_at IS NOT NULL",
            [rollouts],
        )
        return [max(0.0, float(row[0]) - LOOK_SECONDS) for row in cursor.fetchall()]


def _figures(lags: list[float], pages: list[float]) -> list[Figure]:
    if not lags or not pages:
        raise RuntimeError("nothing was measured")
    return [
        Figure(name="executor lag, p99", value=_quantile(lags, 0.99), bar=5.0),
        Figure(name="executor lag, worst", value=max(lags), bar=15.0),
        Figure(name="pages, p95", value=_quantile(pages, 0.95) * 1000, bar=300.0, unit="ms"),
        Figure(name="pages, median", value=_quantile(pages, 0.5) * 1000, bar=300.0, unit="ms"),
        Figure(name="pages that were opened", value=len(pages), bar=PEOPLE, unit="", more_is_better=True),
        Figure(name="looks at rollouts", value=len(lags), bar=ROLLOUTS, unit="", more_is_better=True),
    ]


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
