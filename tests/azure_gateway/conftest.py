"""Fixtures of the gateway's tests: certificates and Microsoft's documents once, servers as each test wants them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.azure_gateway import certificates as authority
from tests.azure_gateway.certificates import Certificates

FOLDER = Path(os.environ.get("OPSPORTAL_AZURE_FACTS", Path(__file__).parents[3] / "shared" / "azure"))


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return authority.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def facts() -> Path:
    if not FOLDER.is_dir():
        reason = (
            f"The folder of Microsoft's examples, {FOLDER}, is not here; OPSPORTAL_AZURE_FACTS names another."
        )
        if os.environ.get("OPSPORTAL_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return FOLDER
