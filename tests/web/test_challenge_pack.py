"""The evidence pack by page and API: the file that somebody gets is the one that verifies."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path

import pytest

from endpoints.access.models import User
from endpoints.audit.models import Entry
from endpoints.challenges.verifier import verify_evidence as verifier
from endpoints.inventory.models import Endpoint
from tests.api.api import Api
from tests.challenges.cases import endpoint
from tests.challenges.test_pack_service import KEYS, decided, key_file
from tests.support.people import browser

__all__ = ["endpoint", "key_file"]
pytestmark = pytest.mark.django_db


def test_page__of_a_supervisor__gives_a_file_that_verifies(
    supervisor: User, endpoint: Endpoint, key_file: Path
) -> None:
    case = decided(supervisor, endpoint)
    answer = browser(supervisor).post(f"/challenges/CH-{case.pk}/pack")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert f'filename="evidence-CH-{case.pk}-' in answer["Content-Disposition"]
    assert verifier.verify(answer.content, KEYS).exit == 0
    recorded = Entry.objects.get(action="evidence.exported").after
    assert recorded["sha256"] == sha256(answer.content).hexdigest() == answer["X-Content-SHA256"]


def test_page__of_an_operator__is_refused_and_nothing_leaves(
    supervisor: User, operator: User, endpoint: Endpoint
) -> None:
    case = decided(supervisor, endpoint)
    answer = browser(operator).post(f"/challenges/CH-{case.pk}/pack")
    assert answer.status_code == 403
    assert not Entry.objects.filter(action="evidence.exported").exists()


def test_api__of_a_supervisor__gives_the_same(supervisor: User, endpoint: Endpoint, key_file: Path) -> None:
    case = decided(supervisor, endpoint)
    told = json.loads(Api(supervisor).post(f"/challenges/{case.pk}/pack", {}).content)
    data = base64.b64decode(told["zip_base64"])
    assert verifier.verify(data, KEYS).exit == 0
    assert told["sha256"] == sha256(data).hexdigest()
