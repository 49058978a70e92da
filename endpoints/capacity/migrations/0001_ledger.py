"""The ledger's tables. Days are partitioned by month, as they are read and, one day, dropped."""

from django.db import migrations, models

_COUNTED = """
    paid_seconds bigint NOT NULL,
    useful_seconds bigint NOT NULL,
    unserved_seconds bigint NOT NULL,
    over_seconds bigint NOT NULL,
    unknown_seconds bigint NOT NULL,
    unpriced_seconds bigint NOT NULL,
    paid_nanos bigint NOT NULL,
    useful_nanos bigint NOT NULL,
    unserved_nanos bigint NOT NULL,
    over_nanos bigint NOT NULL,
    unknown_nanos bigint NOT NULL,
    hours_without_count integer NOT NULL,
    CHECK (paid_seconds = useful_seconds + unserved_seconds + over_seconds + unknown_seconds),
    CHECK (paid_nanos = useful_nanos + unserved_nanos + over_nanos + unknown_nanos),
    CHECK (least(useful_seconds, unserved_seconds, over_seconds, unknown_seconds, unpriced_seconds) >= 0)
"""
TABLES = f"""
CREATE TABLE capacity_day (
    deployment_id bigint NOT NULL,
    day date NOT NULL,
    endpoint_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    sku text NOT NULL,
    currency text NOT NULL,
    version smallint NOT NULL,
    {_COUNTED},
    PRIMARY KEY (deployment_id, day)
) PARTITION BY RANGE (day);
CREATE INDEX capacity_day_of_workspace ON capacity_day (workspace_id, day);

CREATE TABLE capacity_idle (
    deployment_id bigint NOT NULL,
    day date NOT NULL,
    cause text NOT NULL,
    ref text NOT NULL,
    endpoint_id bigint NOT NULL,
    workspace_id bigint NOT NULL,
    currency text NOT NULL,
    seconds bigint NOT NULL CHECK (seconds > 0),
    nanos bigint NOT NULL,
    PRIMARY KEY (deployment_id, day, cause, ref)
) PARTITION BY RANGE (day);
CREATE INDEX capacity_idle_of_workspace ON capacity_idle (workspace_id, day);

CREATE TABLE capacity_summary (
    workspace_id bigint NOT NULL,
    day date NOT NULL,
    owner text NOT NULL,
    team text NOT NULL,
    currency text NOT NULL,
    deployments integer NOT NULL,
    causes jsonb NOT NULL,
    {_COUNTED},
    PRIMARY KEY (workspace_id, day, owner, team, currency)
);

CREATE TABLE capacity_made (
    workspace_id bigint NOT NULL,
    day date NOT NULL,
    deployments integer NOT NULL,
    minutes bigint NOT NULL,
    version smallint NOT NULL,
    made_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, day)
);
"""
DROP_TABLES = """
DROP TABLE capacity_made;
DROP TABLE capacity_summary;
DROP TABLE capacity_idle;
DROP TABLE capacity_day;
"""
FUNCTION = """
-- The partitions of both series that hold a day. The owner's right: the runtime role may ask for it.
CREATE FUNCTION capacity_make_partitions(holding date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    begins date := date_trunc('month', holding::timestamp)::date;
    ends date := (date_trunc('month', holding::timestamp) + interval '1 month')::date;
    series text;
    named text;
BEGIN
    FOREACH series IN ARRAY ARRAY['day', 'idle'] LOOP
        named := 'capacity_' || series || '_' || to_char(begins, 'YYYYMM');
        CONTINUE WHEN to_regclass('public.' || named) IS NOT NULL;
        -- One maker at a time: IF NOT EXISTS alone lets two make the same name, and one of them fail.
        PERFORM pg_advisory_xact_lock(7203419);
        EXECUTE format('CREATE TABLE IF NOT EXISTS public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L)',
            named, 'capacity_' || series, begins, ends);
    END LOOP;
END $$;
"""

_FIELDS = [
    *((f'{name}_seconds', models.BigIntegerField()) for name in ('paid', 'useful', 'unserved', 'over', 'unknown', 'unpriced')),
    *((f'{name}_nanos', models.BigIntegerField()) for name in ('paid', 'useful', 'unserved', 'over', 'unknown')),
    ('hours_without_count', models.IntegerField()),
]


def _key(*names):
    return ('pk', models.CompositePrimaryKey(*names, blank=True, editable=False, primary_key=True, serialize=False))


class Migration(migrations.Migration):

    initial = True
    dependencies = []

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(TABLES, DROP_TABLES),
                migrations.RunSQL(FUNCTION, 'DROP FUNCTION capacity_make_partitions(date)'),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='Day',
                    fields=[
                        *_FIELDS,
                        ('deployment_id', models.BigIntegerField()),
                        ('day', models.DateField()),
                        ('endpoint_id', models.BigIntegerField()),
                        ('workspace_id', models.BigIntegerField()),
                        ('sku', models.TextField()),
                        ('currency', models.TextField()),
                        ('version', models.SmallIntegerField()),
                        _key('deployment_id', 'day'),
                    ],
                    options={'db_table': 'capacity_day'},
                ),
                migrations.CreateModel(
                    name='Idle',
                    fields=[
                        ('deployment_id', models.BigIntegerField()),
                        ('day', models.DateField()),
                        ('cause', models.TextField()),
                        ('ref', models.TextField()),
                        ('endpoint_id', models.BigIntegerField()),
                        ('workspace_id', models.BigIntegerField()),
                        ('seconds', models.BigIntegerField()),
                        ('currency', models.TextField()),
                        ('nanos', models.BigIntegerField()),
                        _key('deployment_id', 'day', 'cause', 'ref'),
                    ],
                    options={'db_table': 'capacity_idle'},
                ),
                migrations.CreateModel(
                    name='Summary',
                    fields=[
                        *_FIELDS,
                        ('workspace_id', models.BigIntegerField()),
                        ('day', models.DateField()),
                        ('owner', models.TextField()),
                        ('team', models.TextField()),
                        ('currency', models.TextField()),
                        ('deployments', models.IntegerField()),
                        ('causes', models.JSONField(default=dict)),
                        _key('workspace_id', 'day', 'owner', 'team', 'currency'),
                    ],
                    options={'db_table': 'capacity_summary'},
                ),
                migrations.CreateModel(
                    name='Made',
                    fields=[
                        ('workspace_id', models.BigIntegerField()),
                        ('day', models.DateField()),
                        ('deployments', models.IntegerField()),
                        ('minutes', models.BigIntegerField()),
                        ('version', models.SmallIntegerField()),
                        ('made_at', models.DateTimeField()),
                        _key('workspace_id', 'day'),
                    ],
                    options={'db_table': 'capacity_made'},
                ),
            ],
        ),
    ]
