from __future__ import annotations

import pytest

from endpoints.access.models import User, Workspace
from tests.changes.desk import Desk
from tests.support.databases import Database
from tests.support.people import make_person, make_workspace


@pytest.fixture
def desk(workspace: Workspace, requester: User, reviewer: User, operator: User) -> Desk:
    return Desk(workspace, requester, reviewer, operator)


@pytest.fixture
def committed_desk(committed_db: Database) -> Desk:
    """The same desk on rows that other connections see."""
    workspace = make_workspace("mlw-prod-weu")
    people = {
        role: make_person(role, {workspace.slug: [role]}) for role in ("requester", "reviewer", "operator")
    }
    return Desk(workspace, **people)
