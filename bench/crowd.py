"""Many rows, made by copying a few that the portal's own services wrote."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from endpoints.access.models import User, Workspace
    from endpoints.inventory.models import Endpoint

ENDPOINTS, DEPLOYMENTS, WORKSPACES = 2000, 3, 10
CHANGES, OPEN_CHANGES, ON_ONE_ENDPOINT = 5000, 100, 200
ENTRIES = 100_000
_NAMES = ("blue", "green", "canary")
# Entries as an ordinary day leaves them, chained by the ledger's own trigger.
_FILL_LEDGER = """
INSERT INTO audit_entry (body)
SELECT convert_to(jsonb_build_object(
    'v', 1, 'event', gen_random_uuid(), 'app_at', clock_timestamp(), 'actor', 'user:' || %(person)s,
    'on_behalf', '', 'auth', 'session', 'workspace', %(workspace)s::bigint, 'subject', 'change:' || number,
    'endpoint', 'endpoint:' || %(endpoint)s, 'action', 'change.approved', 'request', md5(number::text),
    'azure_request', '', 'before', jsonb_build_object('state', 'in_review'),
    'after', jsonb_build_object('state', 'approved', 'revision', 1), 'personal', jsonb_build_object())::text, 'UTF8')
FROM generate_series(1, %(entries)s) AS number
"""


@dataclass(frozen=True)
class Crowd:
    """Who looks, and the change whose review page is opened."""

    reader: User
    change_id: int


def crowd(endpoints: int = ENDPOINTS) -> Crowd:
    """That many endpoints of 3 deployments in 10 workspaces, 5,000 changes, 100,000 ledger entries."""
    from endpoints.access.roles import Role
    from tests.support import people

    places = [people.make_workspace(f"mlw-{number:02}") for number in range(WORKSPACES)]
    roles = [Role.REQUESTER, Role.REVIEWER, Role.OPERATOR, Role.AUDITOR]
    author = people.make_person("rosa", {places[0].slug: [Role.REQUESTER]})
    reader = people.make_person("vera", {place.slug: roles for place in places})
    first = people.make_endpoint(places[0], "checkout-risk", deployments=_NAMES)
    copies = _copy_endpoints(first, places, endpoints)
    _mark_read(places)
    change_id = _ask(author, first)
    _copy_changes(change_id, first, copies)
    _fill_ledger(author, first)
    return Crowd(reader, change_id)


def _copy_endpoints(first: Endpoint, places: list[Workspace], number_of: int) -> list[Endpoint]:
    """Like the first; every twentieth has something to look at, so that the order has work to do."""
    from endpoints.inventory.models import Deployment, Endpoint

    models = list(Deployment.objects.filter(endpoint=first))
    copies = []
    for number in range(1, number_of):
        copy = Endpoint(**_columns(first))
        copy.name = copy.name_key = f"endpoint-{number:05}"
        copy.arm_id, copy.arm_key = f"{first.arm_id}-{number}", f"{first.arm_key}-{number}"
        copy.workspace, copy.severity = places[number % WORKSPACES], 3 if number % 20 == 0 else first.severity
        copies.append(copy)
    made = Endpoint.objects.bulk_create(copies)
    rows = [
        Deployment(
            **_columns(model) | {"endpoint_id": endpoint.pk, "arm_key": f"{endpoint.arm_key}/{model.name}"}
        )
        for endpoint in made
        for model in models
    ]
    Deployment.objects.bulk_create(rows)
    return made


def _columns(row: Any) -> dict[str, Any]:
    """A row's values but its key, to make others like it."""
    return {field.attname: getattr(row, field.attname) for field in row._meta.fields if not field.primary_key}


def _mark_read(places: list[Workspace]) -> None:
    """A complete reading of each workspace just now, which stays current while this runs."""
    from endpoints.dispatch import db_now
    from endpoints.inventory.models import SyncRun, SyncTarget

    now = db_now()
    for place in places:
        run = SyncRun.objects.create(
            workspace=place, trigger="bench", outcome="complete", started_at=now, ended_at=now,
            reads_began=now, reads_ended=now, cadence_seconds=3600,
        )  # fmt: skip
        SyncTarget.objects.update_or_create(
            workspace=place,
            defaults={"due_at": now, "cadence_seconds": 3600, "last_run": run, "covered_by": run},
        )


def _ask(author: User, endpoint: Endpoint) -> int:
    from endpoints.changes.services import request_change
    from tests.support.people import principal

    return request_change(
        principal=principal(author), endpoint_id=endpoint.pk, split={"green": 100}, reason="Green is better"
    )


def _copy_changes(change_id: int, first: Endpoint, endpoints: list[Endpoint]) -> None:
    """Most are done, on the first endpoint too; some wait for review, each on an endpoint of its own."""
    from endpoints.changes.models import Change, ChangeRevision

    asked, content = Change.objects.get(pk=change_id), ChangeRevision.objects.get(change=change_id)
    copies = []
    for number in range(CHANGES):
        copy = Change(**_columns(asked))
        began = asked.created_at - timedelta(minutes=CHANGES - number)
        copy.created_at, copy.endpoint = began, endpoints[number % len(endpoints)]
        copy.workspace_id = copy.endpoint.workspace_id
        if number >= OPEN_CHANGES:
            copy.state, copy.started_at, copy.ended_at = "succeeded", began, began + timedelta(seconds=40)
        if OPEN_CHANGES <= number < OPEN_CHANGES + ON_ONE_ENDPOINT:
            copy.endpoint, copy.workspace_id = first, first.workspace_id
        copies.append(copy)
    made = Change.objects.bulk_create(copies)
    ChangeRevision.objects.bulk_create(
        ChangeRevision(**_columns(content) | {"change_id": change.pk}) for change in made
    )


def _fill_ledger(author: User, endpoint: Endpoint) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            _FILL_LEDGER,
            {
                "person": author.pk,
                "workspace": endpoint.workspace_id,
                "endpoint": endpoint.pk,
                "entries": ENTRIES,
            },
        )
