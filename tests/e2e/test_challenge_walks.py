"""From a request to evidence, as a supervisor walks it: a real request, Azure's log, a case, a pack, its verifier.

Everything runs: emulator, web, executor, worker, and the verifier as a program of its own in an empty environment.
"""

from __future__ import annotations

import io
import json
import re
import ssl
import subprocess
import sys
import time
import urllib.request
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader
from pytest_django.plugin import DjangoDbBlocker

from endpoints.access.models import User
from endpoints.access.selectors import principal_now
from endpoints.access.services import create_token
from endpoints.audit.models import Entry
from endpoints.challenges.models import Case, LogCursor, LogReading, Prediction
from endpoints.dispatch import db_now
from endpoints.inventory.models import Endpoint, EndpointRevision, SyncRun
from endpoints.metrics.models import Telemetry
from opsportal.embedded.processes import wait_until
from opsportal.embedded.throwaway import Servers
from tests.e2e.journey import Portal, portal
from tests.e2e.test_journey import approve_and_start, ask
from tests.flows.stage import WORKSPACE
from tests.support import databases
from tests.support.databases import ROOT, Database

pytestmark = [pytest.mark.browser, pytest.mark.processes]

VERIFIER = ROOT / "endpoints" / "challenges" / "verifier" / "verify_evidence.py"
NAME = "Ida Dvořák"
SETTINGS = {
    "OPSPORTAL_LOGS_CADENCE_SECONDS": "2",
    "OPSPORTAL_FINGERPRINT_KEY": "a-key-of-fingerprints-with-more-than-32-characters",
}
TO_PACK = 120
"""Seconds from the search to the pack in hand; the promise is two minutes of a person's."""


@dataclass
class World:
    """The portal, signing with a key that only its file knows, after one approved change of the split."""

    portal: Portal
    database: Database
    folder: Path
    change: int

    @property
    def public_key(self) -> Path:
        return self.folder / "public.pem"


@pytest.fixture(scope="module")
def world(
    servers: Servers,
    migrated_template: str,
    browser: Browser,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """One for all walks: what they leave behind are records and cases, each with its own."""
    database, folder = databases.clone(servers, migrated_template), tmp_path_factory.mktemp("walks")
    anchors = {"OPSPORTAL_AUDIT_ANCHOR_FILE": str(folder / "anchors.txt")}
    with (
        django_db_blocker.unblock(),
        databases.default_database(database.url),
        portal(
            servers,
            database,
            browser,
            folder,
            OPSPORTAL_AUDIT_KEY_FILE=str(keys_in(folder)),
            **anchors,
            **SETTINGS,
        ) as running,
    ):
        running.azure.admin.settings(logs_delay_min=0, logs_delay_max=0)
        change = switched(running)
        logs_looked_for()
        yield World(running, database, folder, change)
    databases.drop(servers, database.name)


def keys_in(folder: Path) -> Path:
    """The key that signs, and its public half for whoever verifies."""
    key, path = Ed25519PrivateKey.generate(), folder / "ledger.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(public)
    return path


def switched(running: Portal) -> int:
    """A change from blue alone to both, asked for, approved and applied; its number."""
    novak, okafor = running.sign_in("novak"), running.sign_in("okafor")
    change = ask(novak, 95, 5, "delivery-risk 24 is better")
    approve_and_start(okafor, change)
    expect(okafor.locator("main")).to_contain_text("Done", timeout=60_000)
    for page in (novak, okafor):
        page.context.close()
    return int(change.rpartition("-")[2])


def logs_looked_for() -> None:
    """Wait until the worker has read who exports logs; then logs are due at once, and not in some minutes."""
    for one in Endpoint.objects.all():
        Telemetry.objects.get_or_create(endpoint=one)
    assert wait_until(lambda: not Telemetry.objects.filter(diagnostics_read_at=None).exists(), seconds=100)
    LogCursor.objects.update(due_at=db_now())


def endpoint(name: str) -> Endpoint:
    return Endpoint.objects.get(name=name, deleted_at=None)


def called(azure: Any, url: str, body: Any = None, **headers: str) -> tuple[Mapping[str, str], Any]:
    """Headers and document of an answer; GET without a body."""
    data = None if body is None else json.dumps(body).encode()
    told = {"Content-Type": "application/json", **headers}
    trust = ssl.create_default_context(cafile=str(azure.ca_file)) if url.startswith("https:") else None
    sent = urllib.request.Request(url, data=data, headers=told)
    with urllib.request.urlopen(sent, context=trust, timeout=20) as answer:
        return answer.headers, json.loads(answer.read() or b"null")


def scored(world: World, name: str, client_id: str) -> Mapping[str, str]:
    """A real request of an application to an endpoint: the headers of Azure's answer."""
    azure = world.portal.azure
    asked = f"{azure.identity_endpoint}?resource={azure.arm}&api-version=2019-08-01"
    _, token = called(azure, asked, **{"X-IDENTITY-HEADER": azure.identity_header})
    keys = f"{azure.arm}{WORKSPACE}/onlineEndpoints/{name}/listKeys?api-version=2022-02-01-preview"
    _, key = called(azure, keys, {}, Authorization=f"Bearer {token['access_token']}")
    headers = {"Authorization": f"Bearer {key['primaryKey']}", "x-ms-client-request-id": client_id}
    return called(azure, endpoint(name).scoring_uri, {"order": 4711}, **headers)[0]


def told_by_caller(world: World, name: str, at: datetime, **record: Any) -> None:
    """The application's own record of a request, sent to the portal as applications send it."""
    berg = principal_now(User.objects.get(username="berg").pk)
    _, secret = create_token(principal=berg, name=f"for {uuid.uuid4()}", scopes=["predictions"], days=1)
    where = f"{world.portal.url}/api/v1/workspaces/mlw-prod-weu/endpoints/{name}/predictions"
    records = {"records": [{"at": at.isoformat(), **record}]}
    called(world.portal.azure, where, records, Authorization=f"Bearer {secret}")


def read_after(moment: datetime) -> None:
    """Wait until a reading of Azure bears out what was at that moment."""
    runs = SyncRun.objects.filter(reads_began__gt=moment).exclude(outcome="failed")
    assert wait_until(runs.exists, seconds=40)


def found(page: Page, asked: str) -> None:
    """Type an id into the search and be at its record."""
    page.goto("/fleet")
    page.get_by_role("searchbox").first.fill(asked)
    page.keyboard.press("Enter")
    page.wait_for_url("**/r/*")


def raised(page: Page, question: str, *, claimant: str = "") -> int:
    """A case about the record that the page shows; its number."""
    page.get_by_role("link", name="Raise a case").click()
    page.get_by_label("Question").fill(question)
    page.get_by_label("Who asks").fill(claimant)
    page.get_by_role("button", name="Raise the case").click()
    page.wait_for_url("**/challenges/CH-*")
    return int(page.url.rpartition("-")[2])


def decided(page: Page, outcome: str, reason: str) -> None:
    page.get_by_label(outcome, exact=True).check()
    page.get_by_label("Reason", exact=True).fill(reason)
    page.get_by_role("button", name="Decide and close").click()
    expect(page.locator("main")).to_contain_text(f"Closed: {outcome}")


def packed(page: Page, number: int, folder: Path) -> Path:
    """The case's pack, downloaded by its button."""
    page.goto(f"/challenges/CH-{number}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Evidence pack").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def verified(world: World, pack: Path) -> tuple[int, str]:
    """What the one-file program says of it: exit code and words. It knows the pack and the key, and nothing else."""
    command = [sys.executable, "-I", str(VERIFIER), str(pack), "--key", str(world.public_key)]
    ran = subprocess.run(command, env={}, capture_output=True, text=True, timeout=120, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def texts_of(pack: Path) -> str:
    """Every text in it, that of its PDF included."""
    with zipfile.ZipFile(pack) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    pages = PdfReader(io.BytesIO(files["evidence.pdf"])).pages
    return "\n".join(
        [*(raw.decode("utf-8", "replace") for raw in files.values()), *(p.extract_text() for p in pages)]
    )


def test_request__that_azure_logged__becomes_a_decided_case_and_a_pack_that_convinces(world: World) -> None:
    risk = endpoint("checkout-risk")
    cursor = LogCursor.objects.filter(pk=risk.pk, read_until__isnull=False)
    assert wait_until(cursor.exists, seconds=60), LogCursor.objects.filter(pk=risk.pk).values()
    answer = scored(world, "checkout-risk", "order-4711")
    asked, deployment = answer["x-request-id"], answer["azureml-model-deployment"]
    logged = Prediction.objects.filter(
        endpoint_id=risk.pk, request_id=asked.lower(), log_known_at__isnull=False
    )
    assert wait_until(logged.exists, seconds=60)
    read_after(db_now())
    haddad = world.portal.sign_in("haddad")
    model = {"blue": "delivery-risk:23", "green": "delivery-risk:24"}[deployment]

    began = time.monotonic()
    found(haddad, asked)
    main = haddad.locator("main")
    expect(main).to_contain_text(f"{deployment} answered, with {model}, certain.")
    for words in (f"CR-{world.change}", "R. Okafor", "blue 95", "green 5", "order-4711"):
        expect(main).to_contain_text(words)
    number = raised(haddad, "Why was order 4711 declined?")
    expect(main).to_contain_text(f"{deployment} answered, with {model}, certain.")
    expect(main).to_contain_text("R. Okafor")
    decided(haddad, "stands", "The approved model answered, and it was well.")
    pack = packed(haddad, number, world.folder)
    took = time.monotonic() - began

    code, said = verified(world, pack)
    assert code == 0, said
    assert took < TO_PACK
    assert model in texts_of(pack)


def test_request__while_the_split_was_switched__is_one_of_two_and_can_not_be_determined(world: World) -> None:
    risk = endpoint("checkout-risk")
    revisions = EndpointRevision.objects.filter(endpoint=risk, cause=f"change:{world.change}").order_by(
        "latest"
    )
    switch = revisions.first()
    assert switch is not None and switch.earliest is not None
    at = switch.earliest + (switch.latest - switch.earliest) / 2
    told_by_caller(world, "checkout-risk", at, client_id="order-4712", status=200, app_version="shop:9")
    haddad = world.portal.sign_in("haddad")

    found(haddad, "order-4712")
    main = haddad.locator("main")
    expect(main).to_contain_text("One of blue with delivery-risk:23 or green with delivery-risk:24 answered.")
    expect(main).to_contain_text(
        re.compile(r"It was being switched between two readings of Azure: from \S+ [\d:]+\.\d{3} UTC")
    )
    expect(main).not_to_contain_text("answered, with")
    number = raised(haddad, "Which model saw order 4712?")
    decided(haddad, "cannot be determined", "Two splits may have been in force, and no log has the request.")
    assert Case.objects.get(pk=number).model == ""
    code, said = verified(world, packed(haddad, number, world.folder))
    assert code == 0, said


def test_request__whose_log_was_off__is_not_guessed_and_the_reason_is_told(world: World) -> None:
    triage = endpoint("photo-triage")
    off = LogReading.objects.filter(endpoint_id=triage.pk, outcome="off")
    assert wait_until(off.exists, seconds=60)
    at = db_now()
    asked = scored(world, "photo-triage", "photo-8841")["x-request-id"]
    told_by_caller(world, "photo-triage", at, request_id=asked, client_id="photo-8841", status=200)
    read_after(at)
    haddad = world.portal.sign_in("haddad")

    found(haddad, asked)
    main = haddad.locator("main")
    expect(main).to_contain_text("One of main with triage-cnn:7 or next with triage-cnn:8 answered.")
    expect(main).to_contain_text("main 90\u00a0%, next 10\u00a0%; which one a request meets is drawn.")
    expect(main).to_contain_text(re.compile("not exported", re.I))
    raised(haddad, "Why was facility 8841 marked urgent?")
    expect(main).to_contain_text("One of main with triage-cnn:7 or next with triage-cnn:8 answered.")


def test_person__erased_by_two_supervisors__is_named_nowhere_and_the_ledger_is_whole(world: World) -> None:
    told_by_caller(world, "checkout-risk", db_now(), client_id="order-4713", status=200, deployment="blue")
    haddad, reyes, lund = (world.portal.sign_in(name) for name in ("haddad", "reyes", "lund"))
    found(haddad, "order-4713")
    number = raised(haddad, f"Why does {NAME} get no credit?", claimant=NAME)
    expect(haddad.locator("main")).to_contain_text(f"Asked by {NAME}.")
    decided(haddad, "stands", f"{NAME} was told why.")
    assert NAME in texts_of(packed(haddad, number, world.folder))

    haddad.get_by_text("Ask for it", exact=True).click()
    haddad.get_by_label("Reason, without names").last.fill("The person asked to be forgotten.")
    haddad.get_by_role("button", name="Ask to erase the texts").click()
    expect(haddad.locator("main")).to_contain_text("somebody else has to agree")
    assert haddad.get_by_role("button", name=re.compile("^Erase the texts")).count() == 0
    reyes.goto(f"/challenges/CH-{number}")
    expect(reyes.locator("main")).to_contain_text(NAME)
    reyes.get_by_role("button", name=f"Erase the texts of CH-{number}").click()
    expect(reyes.locator("main")).to_contain_text("Erased")

    entries = list(Entry.objects.filter(subject=f"case:{number}").values_list("seq", flat=True))
    assert len(entries) > 3
    for address in (
        f"/challenges/CH-{number}",
        f"/audit?subject=case:{number}",
        *(f"/audit/{n}" for n in entries),
    ):
        for page in (haddad, lund):
            page.goto(address)
            assert "Dvořák" not in page.content(), address
    code, said = verified(world, pack := packed(reyes, number, world.folder / "afterwards"))
    assert code == 0, said
    assert "Dvořák" not in texts_of(pack)
    checked(lund, "Chain intact up to entry")


def checked(auditor: Page, words: str) -> None:
    """Have the ledger verified anew, by its button."""
    auditor.goto("/audit/verify")
    auditor.get_by_role("button", name="Verify the ledger now").click()
    expect(auditor.locator("main")).to_contain_text(words, timeout=30_000)


def test_entry__altered_behind_the_portal__is_named_and_the_pack_is_refused(
    world: World, servers: Servers
) -> None:
    told_by_caller(world, "checkout-risk", db_now(), client_id="order-4714", status=200, deployment="blue")
    haddad, lund = world.portal.sign_in("haddad"), world.portal.sign_in("lund")
    found(haddad, "order-4714")
    number = raised(haddad, "Why was order 4714 declined?")
    decided(haddad, "stands", "It was well.")
    seq = (
        Entry.objects.filter(subject=f"case:{number}", action="case.decided")
        .values_list("seq", flat=True)
        .get()
    )

    altered(servers, world.database, seq, "stands", "overturned")
    checked(lund, f"Ledger broken at entry {seq}")
    code, said = verified(world, packed(haddad, number, world.folder / "altered"))
    assert code == 1, said
    assert "TAMPERED" in said and str(seq) in said

    altered(servers, world.database, seq, "overturned", "stands")
    checked(lund, "Chain intact up to entry")


def altered(servers: Servers, database: Database, seq: int, before: str, after: str) -> None:
    """As a superuser can: guards off, one entry of the ledger rewritten, guards on again."""
    with psycopg.connect(f"{servers.admin_url.rpartition('/')[0]}/{database.name}", autocommit=False) as root:
        root.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        touched = root.execute(
            "UPDATE audit_entry SET body = convert_to(replace(convert_from(body, 'UTF8'), %s, %s), 'UTF8')"
            " WHERE seq = %s RETURNING body",
            (f'"{before}"', f'"{after}"', seq),
        ).fetchone()
        root.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
    assert touched is not None and f'"{after}"'.encode() in bytes(touched[0])
