"""Fixtures of the gateway's tests: certificates once, servers as each test wants them."""

from __future__ import annotations

import pytest

from tests.azure_gateway import certificates as authority
from tests.azure_gateway.certificates import Certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return authority.make(tmp_path_factory.mktemp("certificates"))
