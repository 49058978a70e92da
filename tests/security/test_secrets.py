"""Every secret carries a mark; after real work through real processes no mark is anywhere it could be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest
import redis
from django.test import override_settings
from psycopg import sql

from emulator.launch import Emulator, launch
from endpoints.access.models import User, Workspace
from endpoints.changes import services
from endpoints.changes.models import Change
from endpoints.changes.selectors import change_detail
from endpoints.inventory.models import DeploymentRevision, Endpoint, SyncRun
from opsportal.embedded.processes import wait_until
from opsportal.embedded.throwaway import Servers
from opsportal.settings import base
from tests.flows.stage import CHECKOUT, TIMES, WORKSPACE
from tests.support import processes
from tests.support.databases import Database
from tests.support.load import serve
from tests.support.people import PASSWORD, make_person, make_workspace, principal, token_for

pytestmark = pytest.mark.processes

KEY = "canary-signing-key-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGH"
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}")
SCORING = "canary-scoring-key-8d21"
"""A key in a document that should have none: the API shows none, but nobody promised."""
VARIABLE = "canary-environment-variable-51f0"
"""What somebody put into a deployment's environment variables, as people do with passwords."""


@dataclass
class Portal:
    """Addresses, folders and what must not be found."""

    url: str
    azure: Emulator
    database: Database
    servers: Servers
    folder: Path
    secrets: dict[str, str]
    pages: list[str] = field(default_factory=list)

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in self.folder.rglob("*.log"))


def told(azure: Emulator, database: Database, servers: Servers) -> dict[str, str]:
    return processes.environment(
        database,
        broker_url=servers.broker_url,
        **azure.environment(),
        **TIMES,
        SECRET_KEY=KEY,
        OPSPORTAL_AZURE_CLOUD="StageCloud",
        OPSPORTAL_AZURE_RESOURCE_MANAGER=azure.arm,
        OPSPORTAL_AZURE_CA_BUNDLE=str(azure.ca_file),
        OPSPORTAL_SYNC_CADENCE_SECONDS="5",
        OPSPORTAL_LOG_LEVEL="DEBUG",
    )


def sign_in(client: httpx.Client, name: str, password: str) -> httpx.Response:
    form = client.get("/login").text
    token = form.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    return client.post("/login", data={"username": name, "password": password, "csrfmiddlewaretoken": token})


@pytest.fixture
def portal(servers: Servers, committed_db: Database, tmp_path: Path) -> Iterator[Portal]:
    """Web, executor, worker and beat on the emulator, all of them talkative."""
    with launch(tmp_path / "azure", scenario="small") as azure:
        azure.admin.foreign(
            f"{CHECKOUT}/deployments/green", properties={"environmentVariables": {"DB_PASSWORD": VARIABLE}}
        )
        azure.admin.foreign(CHECKOUT, properties={"keys": {"primaryKey": SCORING, "secondaryKey": SCORING}})
        environment = told(azure, committed_db, servers)
        with (
            processes.running("executor", environment, tmp_path / "executor"),
            processes.running("worker", environment, tmp_path / "worker"),
            processes.running("beat", environment, tmp_path / "beat"),
            processes.web(environment, tmp_path / "web") as (url, _),
        ):
            yield Portal(
                url,
                azure,
                committed_db,
                servers,
                tmp_path,
                {
                    "signing key": KEY,
                    "identity header": azure.identity_header,
                    "environment variable": VARIABLE,
                    "scoring key": SCORING,
                    "password": PASSWORD,
                    "database password": committed_db.url.split(":")[2].split("@")[0],
                },
            )


@override_settings(PASSWORD_HASHERS=base.PASSWORD_HASHERS)
def people() -> dict[str, User]:
    workspace = make_workspace("mlw-prod-weu")
    Workspace.objects.filter(pk=workspace.pk).update(
        arm_id=WORKSPACE, arm_key=WORKSPACE.lower(), subscription_id=WORKSPACE.split("/")[2]
    )
    roles = {"rosa": "requester", "vera": "reviewer", "omar": "operator", "aude": "auditor"}
    return {name: make_person(name, {workspace.slug: [role]}) for name, role in roles.items()}


def work(portal: Portal, who: dict[str, User]) -> None:
    """A sync, a change that reaches Azure, and everything that can go wrong on the way and write a line about it."""
    assert wait_until(lambda: SyncRun.objects.filter(outcome="complete").exists(), seconds=30), portal.logs()
    portal.azure.admin.fault("status", method="PUT", status=500, times=1, message="no luck")
    endpoint = Endpoint.objects.get(name="checkout-risk")
    serve(endpoint.pk)
    number = services.request_change(
        principal=principal(who["rosa"]),
        endpoint_id=endpoint.pk,
        split={"blue": 90, "green": 10},
        reason="Try",
    )
    seen = change_detail(principal(who["vera"]), number).content_hash
    services.approve_change(principal=principal(who["vera"]), change_id=number, seen_hash=seen)
    services.start_change(principal=principal(who["omar"]), change_id=number, seen_hash=seen)
    done = wait_until(lambda: Change.objects.get(pk=number).ended_at is not None, seconds=30)
    assert done, portal.logs()[-3000:]
    raw = token_for(who["omar"], "read", "audit")
    portal.secrets["API token"] = raw.rpartition("_")[2]
    with httpx.Client(base_url=portal.url, follow_redirects=True, timeout=15) as client:
        refused = sign_in(client, "aude", "a-wrong-canary-pass-phrase")
        portal.secrets["wrong password"] = "a-wrong-canary-pass-phrase"
        assert refused.status_code == 403
        assert sign_in(client, "aude", PASSWORD).url.path == "/fleet"
        portal.secrets["session"] = client.cookies["opsportal_session"]
        home = "/w/mlw-prod-weu/e/checkout-risk/"
        for path in ("/fleet", home, f"/changes/CR-{number}", f"/changes/CR-{number}/live", "/audit",
                     "/audit?format=csv", "/audit?format=json", "/fleet?format=json", "/settings/workspaces",
                     "/no/such/page", f"{home}?history=0.1.0001-01-01T00:00:00%2B23:59"):  # fmt: skip
            portal.pages.append(client.get(path).text)
        client.get("/fleet", params={"q": f"key={KEY}&token={raw}"})
        bearer = {"Authorization": f"Bearer {raw}"}
        api = "/api/v1/workspaces/mlw-prod-weu/endpoints/checkout-risk"
        for path in ("me", "endpoints", f"changes/{number}", "audit", "no-such"):
            portal.pages.append(httpx.get(f"{portal.url}/api/v1/{path}", headers=bearer).text)
        for path in (api, f"{api}/deployments", f"{api}/history"):
            portal.pages.append(httpx.get(f"{portal.url}{path}", headers=bearer).text)


def database_text(database: Database) -> str:
    """Every row of every table, as PostgreSQL writes it."""
    with psycopg.connect(database.owner_url) as owner:
        tables = owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return "\n".join(
            str(row[0])
            for (table,) in tables
            for row in owner.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table)))
        )


def broker_text(url: str) -> str:
    """Every key and value, whatever its kind."""
    found: list[str] = []
    with redis.Redis.from_url(url) as broker:
        for key in broker.scan_iter():
            found += [repr(key), repr(broker.dump(key))]
    return "\n".join(found)


def test_secrets__after_real_work__are_nowhere_and_no_key_was_asked_for(portal: Portal) -> None:
    work(portal, people())
    stored = database_text(portal.database)
    places = {
        "database": stored,
        "broker": broker_text(portal.servers.broker_url),
        "logs": portal.logs(),
        "pages": "\n".join(portal.pages),
    }
    assert all(len(text) > 200 for text in places.values())
    found = [
        (name, place)
        for name, secret in portal.secrets.items()
        for place, text in places.items()
        if secret in text and (name, place) != ("session", "database")
    ]
    assert found == []  # a session's key is its row's, and nowhere else
    assert [place for place, text in places.items() if JWT.search(text)] == []
    assert "DB_PASSWORD" in stored  # the variable's name is mirrored: that it is there, not what it says
    assert DeploymentRevision.objects.filter(state__icontains="DB_PASSWORD").exists()
    asked = portal.azure.admin.requests(plane="arm")
    assert any(request["method"] == "PUT" for request in asked)
    keys = re.compile(r"listkeys|regeneratekeys|/token$|getlogs", re.IGNORECASE)
    assert [request["path"] for request in asked if keys.search(request["path"])] == []
    assert portal.azure.admin.requests(plane="scoring") == []
