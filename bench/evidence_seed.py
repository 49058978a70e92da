"""A made-up past of 28 days, written by SQL: 200 endpoints with two deployments each; changes made every switch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg

ENDPOINTS, DAYS = 200, 28
_DAY = timedelta(days=1)
_MODEL = "'azureml://registries/fraud/models/risk/versions/' || "
# The record of a request: a fifth of all is of endpoint 1. `n` numbers them; `random()` is the database's.
_RECORDS = """
INSERT INTO {table} (day, endpoint_id, key, at, request_id, client_id, deployment, model_version, status, duration_ms,
    confidence, origin, log_known_at, caller_known_at)
SELECT (at AT TIME ZONE 'UTC')::date, endpoint, 'r:' || request, at, request, 'order-' || n, deployment, '', 200,
    60 + 90 * random(), random(), '{{"*": "log", "confidence": "caller"}}', at + interval '5 min', at + interval '2 s'
FROM (
    SELECT n, CASE WHEN mod(n, 5) = 0 THEN 1 ELSE 2 + mod(n * 7919, {endpoints} - 1) END AS endpoint,
        md5(n::text)::uuid::text AS request,
        %(begins)s::timestamptz + (n - %(first)s + random()) / (%(last)s - %(first)s + 1)
            * (%(ends)s::timestamptz - %(begins)s::timestamptz) AS at,
        CASE WHEN mod(n, 3) = 0 THEN 'green' ELSE 'blue' END AS deployment
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) n) r
"""
_ENDPOINTS = """
INSERT INTO inventory_endpoint (id, workspace_id, name, name_key, arm_id, arm_key, first_seen_at, state_hash,
    provisioning_state, last_read_began, last_read_ended, unreadable_reason, traffic, mirror_traffic, scoring_uri,
    auth_mode, public_network_access, location, kind, tags, owner, marks, severity, outer_marks)
SELECT n, %(workspace)s, 'ep-' || n, 'ep-' || n, %(arm)s || '/onlineEndpoints/ep-' || n,
    lower(%(arm)s || '/onlineEndpoints/ep-' || n), %(begins)s, repeat('0', 64), 'Succeeded', now(), now(), '', '{}',
    '{}', '', '', '', 'westeurope', 'Managed', '{}', '', '[]', 0, '{}'
FROM generate_series(1, %(endpoints)s) n
"""
_DEPLOYMENTS = """
INSERT INTO inventory_deployment (id, endpoint_id, name, name_key, arm_id, arm_key, first_seen_at, state_hash,
    provisioning_state, last_read_began, last_read_ended, unreadable_reason, model, environment, code_id, instance_type)
SELECT 2 * e.id - 1 + place, e.id, v.name, v.name, e.arm_id || '/deployments/' || v.name,
    e.arm_key || '/deployments/' || v.name, %(begins)s, repeat('0', 64), 'Succeeded', now(), now(), '', '', '', '', ''
FROM inventory_endpoint e, (VALUES ('blue', 0), ('green', 1)) v (name, place)
"""
# Split and tags by turns: half of the revisions bring another split.
_SPLITS = """
INSERT INTO inventory_endpoint_revision (endpoint_id, earliest, latest, known_at, state_hash, state, deleted, cause,
    modified_by, azure_request_id)
SELECT e, at - interval '20 s', at, at, md5(e || '-' || n) || md5(n::text), jsonb_build_object('traffic',
    CASE mod(n / 2, 3) WHEN 0 THEN '{"blue": 100}' WHEN 1 THEN '{"blue": 90, "green": 10}'
        ELSE '{"green": 100}' END::jsonb,
    'mirror_traffic', '{}'::jsonb, 'tags', jsonb_build_object('n', n), 'provisioning_state', 'Succeeded',
    'auth_mode', 'Key', 'scoring_uri', 'https://ep-' || e || '.westeurope.inference.ml.azure.com/score'),
    false, 'change:' || e, '', ''
FROM generate_series(1, %(endpoints)s) e, generate_series(0, %(each)s - 1) n,
    LATERAL (SELECT %(begins)s::timestamptz + n * (%(ends)s::timestamptz - %(begins)s::timestamptz) / %(each)s AS at) t
"""
_BUILDS = f"""
INSERT INTO inventory_deployment_revision (deployment_id, earliest, latest, known_at, state_hash, state, deleted, cause,
    modified_by, azure_request_id)
SELECT d, at - interval '20 s', at, at, md5(d || '-' || n) || md5(n::text), jsonb_build_object(
    'model', {_MODEL} (1 + n / 10), 'environment', 'azureml://registries/fraud/environments/sklearn/versions/3',
    'code_id', 'azureml:scoring:' || (1 + n / 10), 'instance_type', 'Standard_DS3_v2',
    'instance_count', 1 + mod(n, 10)),
    false, '', '', ''
FROM generate_series(1, 2 * %(endpoints)s) d, generate_series(0, %(each)s - 1) n,
    LATERAL (SELECT %(begins)s::timestamptz + n * (%(ends)s::timestamptz - %(begins)s::timestamptz) / %(each)s AS at) t
"""
_RUNS = """
INSERT INTO inventory_sync_run (workspace_id, trigger, outcome, started_at, ended_at, reads_began, reads_ended,
    endpoints, deployments, changes, calls, unreadable, error_code, error, azure_request_id, cadence_seconds)
SELECT %(workspace)s, 'timer', 'ok', at, at + interval '2 s', at, at + interval '2 s', %(endpoints)s, 2 * %(endpoints)s,
    0, 1, '[]', '', '', '', 30
FROM generate_series(%(begins)s::timestamptz, now(), interval '30 s') at
"""
_LOGS = """
INSERT INTO challenges_log_reading (endpoint_id, since, until, outcome, rows, reason, known_at)
SELECT e, at, at + interval '6 hours', 'read', 1000, '', at + interval '6 hours 15 min'
FROM generate_series(1, %(endpoints)s) e, generate_series(%(begins)s::timestamptz, %(ends)s, interval '6 hours') at
"""


def seed(owner: psycopg.Connection, records: int, revisions: int, minute_values: str) -> None:
    """Half of the revisions are of endpoints, half of deployments."""
    ends = _now(owner)
    begins = ends - DAYS * _DAY
    values = {"begins": begins, "ends": ends, "endpoints": ENDPOINTS}
    values |= _workspace()
    owner.execute(_ENDPOINTS, values)
    owner.execute(_DEPLOYMENTS, values)
    owner.execute(_SPLITS, values | {"each": revisions // 2 // ENDPOINTS})
    owner.execute(_BUILDS, values | {"each": revisions // 4 // ENDPOINTS})
    owner.execute(_RUNS, values)
    owner.execute(_LOGS, values)
    _changes()
    _minutes(owner, ends, minute_values)
    _records(owner, records, begins, ends)
    owner.execute("VACUUM (ANALYZE)")


def _now(owner: psycopg.Connection) -> datetime:
    row = owner.execute("SELECT date_trunc('minute', now()) - interval '1 hour'").fetchone()
    assert row
    moment: datetime = row[0]
    return moment


def _workspace() -> dict[str, object]:
    from tests.support.people import make_workspace

    row = make_workspace("mlw-bench")
    return {"workspace": row.pk, "arm": row.arm_id}


def _changes() -> None:
    """One for each endpoint, with its author, an approval and what a gate said."""
    from endpoints.access.models import User
    from endpoints.changes.lifecycle import Kind, State
    from endpoints.changes.models import Change, ChangeRevision, Decision, Measurement
    from endpoints.dispatch import db_now
    from endpoints.inventory.models import Endpoint
    from tests.support.people import make_person

    author, reviewer = make_person("bench-author"), make_person("bench-reviewer")
    began = db_now() - (DAYS + 1) * _DAY
    for endpoint in Endpoint.objects.order_by("pk"):
        change = Change.objects.create(
            pk=endpoint.pk,
            endpoint=endpoint,
            workspace=endpoint.workspace,
            kind=Kind.TRAFFIC,
            state=State.SUCCEEDED,
            author=author,
            created_at=began,
            started_at=began,
            started_by=User.objects.get(pk=reviewer.pk),
            ended_at=began,
        )
        ChangeRevision.objects.create(
            change=change, number=1, plan=[], base={}, content_hash="0" * 64, editor=author, created_at=began
        )
        Decision.objects.create(
            change=change, revision=1, content_hash="0" * 64, reviewer=reviewer, approved=True, at=began
        )
        Measurement.objects.create(
            change=change,
            step=0,
            gate="p95",
            outcome="pass",
            reason="Within.",
            since=began,
            until=began,
            at=began,
        )


def _minutes(owner: psycopg.Connection, ends: datetime, values: str) -> None:
    """The last day of every deployment; of older ones neither the minute nor its hour is known any more."""
    begins = ends - _DAY
    for day in (begins, ends):
        owner.execute("SELECT metrics_make_partition('minute', %s)", [day.date()])
    owner.execute(
        f"INSERT INTO metrics_minute SELECT d, %s + m * interval '1 minute', {values}"
        f" FROM generate_series(0, 1439) m, generate_series(1, {2 * ENDPOINTS}) d",
        [begins],
    )


def _records(owner: psycopg.Connection, count: int, begins: datetime, ends: datetime) -> None:
    """By month, each into a table that gets its indexes at the end, in one go, and then becomes a partition."""
    first = 1
    for month, until in _months(begins, ends):
        share = (min(until, ends) - max(month, begins)) / (ends - begins)
        last = count if until > ends else first + round(count * share) - 1
        row = owner.execute(
            "SELECT name, begins, ends FROM challenges_partition(%s)", [month.date()]
        ).fetchone()
        assert row
        name, since, upto = row
        owner.execute(f"DROP TABLE IF EXISTS {name}")
        owner.execute(f"CREATE TABLE {name} (LIKE challenges_prediction INCLUDING DEFAULTS)")
        owner.execute(
            _RECORDS.format(table=name, endpoints=ENDPOINTS),
            {"begins": max(month, begins), "ends": min(until, ends), "first": first, "last": last},
        )
        owner.execute(
            f"ALTER TABLE challenges_prediction ATTACH PARTITION {name} FOR VALUES FROM ('{since}') TO ('{upto}')"
        )
        first = last + 1


def _months(begins: datetime, ends: datetime) -> list[tuple[datetime, datetime]]:
    """Every month (in UTC) that the stretch touches, and the beginning of the next one."""
    month = begins.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = []
    while month < ends:
        following = (month + 32 * _DAY).replace(day=1)
        found.append((month, following))
        month = following
    return found
