"""Tasks of records: each does its one thing, and may come twice."""

from __future__ import annotations

import pytest

from endpoints.access.models import Workspace
from endpoints.challenges import tasks
from endpoints.challenges.models import DirtyMinute
from endpoints.challenges.recorded import Source
from endpoints.challenges.services import take
from tests.challenges.recording import ago, said
from tests.support.people import make_endpoint

pytestmark = pytest.mark.django_db


def test_tasks__run_twice__do_what_is_due_once(workspace: Workspace) -> None:
    endpoint = make_endpoint(workspace)
    word = said(endpoint.pk, ago(minutes=5), client_id="a", deployment="blue", confidence=0.5)
    take([word], source=Source.CALLER)
    for task in (tasks.make_partitions, tasks.aggregate, tasks.drop_old):
        task()
        task()
    assert DirtyMinute.objects.count() == 0
