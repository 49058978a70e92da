"""The stage of the pages' tests, and somebody who may do everything that one account may."""

from __future__ import annotations

import pytest

from endpoints.access.models import User, Workspace
from endpoints.access.roles import WORKSPACE_ROLES, Role
from tests.support.people import INSTALLATION, make_person
from tests.web.conftest import approved, asked, sign_in, started

__all__ = ["approved", "asked", "sign_in", "started"]


@pytest.fixture
def powerful(workspace: Workspace) -> User:
    """Every role here and the administrator's: whoever refuses this one refuses because of the input."""
    return make_person("max", {workspace.slug: sorted(WORKSPACE_ROLES), INSTALLATION: [Role.ADMIN]})
