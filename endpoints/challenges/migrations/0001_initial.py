"""Cases and what is kept of requests. Predictions are partitioned by month, and go by the month.

The functions belong to the owner of the tables and run with his rights: the runtime role may write rows, and may ask for a
partition to be made or dropped, but can neither change nor drop a table.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


COLUMNS = """
    day date NOT NULL,
    endpoint_id bigint NOT NULL,
    key text NOT NULL,
    at timestamptz NOT NULL,
    request_id text NOT NULL DEFAULT '',
    client_id text NOT NULL DEFAULT '',
    deployment text NOT NULL DEFAULT '',
    model_version text NOT NULL DEFAULT '',
    app_version text NOT NULL DEFAULT '',
    status smallint,
    model_status smallint,
    duration_ms double precision,
    request_bytes bigint,
    response_bytes bigint,
    confidence double precision,
    high_risk boolean,
    scores jsonb,
    pinned boolean,
    fingerprint bytea,
    origin jsonb NOT NULL DEFAULT '{}',
    conflicts jsonb,
    log_known_at timestamptz,
    caller_known_at timestamptz,
    model_known_at timestamptz,
    PRIMARY KEY (endpoint_id, key, day)
"""
TABLES = f"""
CREATE TABLE challenges_prediction ({COLUMNS}) PARTITION BY RANGE (day);
CREATE INDEX challenges_prediction_request ON challenges_prediction (request_id) WHERE request_id <> '';
CREATE INDEX challenges_prediction_client ON challenges_prediction (client_id) WHERE client_id <> '';
CREATE INDEX challenges_prediction_at ON challenges_prediction (endpoint_id, at);

CREATE TABLE challenges_kept_prediction ({COLUMNS});
CREATE INDEX challenges_kept_prediction_request ON challenges_kept_prediction (request_id) WHERE request_id <> '';
CREATE INDEX challenges_kept_prediction_client ON challenges_kept_prediction (client_id) WHERE client_id <> '';
"""
DROP_TABLES = """
DROP TABLE challenges_kept_prediction;
DROP TABLE challenges_prediction;
"""

FUNCTIONS = """
-- The partition that holds a day: its name, and the first day of its month and of the next.
CREATE FUNCTION challenges_partition(holding date, OUT name text, OUT begins date, OUT ends date)
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    begins := date_trunc('month', holding::timestamp)::date;
    ends := (begins + interval '1 month')::date;
    name := 'challenges_prediction_' || to_char(begins, 'YYYYMM');
END $$;

CREATE FUNCTION challenges_make_partition(holding date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted record;
BEGIN
    SELECT * INTO wanted FROM public.challenges_partition(holding);
    IF to_regclass('public.' || wanted.name) IS NOT NULL THEN
        RETURN wanted.name;
    END IF;
    -- One maker at a time: IF NOT EXISTS alone lets two make the same name, and one of them fail.
    PERFORM pg_advisory_xact_lock(7203418);
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS public.%I PARTITION OF public.challenges_prediction FOR VALUES FROM (%L) TO (%L)',
        wanted.name, wanted.begins, wanted.ends);
    RETURN wanted.name;
END $$;

-- Drop the month that holds a day, if all of it is older than the legal floor of six months. False: there was none.
CREATE FUNCTION challenges_drop_partition(holding date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted record;
BEGIN
    SELECT * INTO wanted FROM public.challenges_partition(holding);
    IF wanted.ends > ((clock_timestamp() AT TIME ZONE 'UTC') - interval '6 months')::date THEN
        RAISE EXCEPTION 'the partition % is too young to be dropped', wanted.name
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF to_regclass('public.' || wanted.name) IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP TABLE public.%I', wanted.name);
    RETURN true;
END $$;
"""
DROP_FUNCTIONS = """
DROP FUNCTION challenges_drop_partition(date);
DROP FUNCTION challenges_make_partition(date);
DROP FUNCTION challenges_partition(date);
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('access', '0002_freeze_overrider'),
        ('inventory', '0005_attribution'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(TABLES, DROP_TABLES),
                migrations.RunSQL(FUNCTIONS, DROP_FUNCTIONS),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='Prediction',
                    fields=[
                        ('day', models.DateField()),
                        ('endpoint_id', models.BigIntegerField()),
                        ('key', models.TextField()),
                        ('at', models.DateTimeField()),
                        ('request_id', models.TextField(default='')),
                        ('client_id', models.TextField(default='')),
                        ('deployment', models.TextField(default='')),
                        ('model_version', models.TextField(default='')),
                        ('app_version', models.TextField(default='')),
                        ('status', models.SmallIntegerField(null=True)),
                        ('model_status', models.SmallIntegerField(null=True)),
                        ('duration_ms', models.FloatField(null=True)),
                        ('request_bytes', models.BigIntegerField(null=True)),
                        ('response_bytes', models.BigIntegerField(null=True)),
                        ('confidence', models.FloatField(null=True)),
                        ('high_risk', models.BooleanField(null=True)),
                        ('scores', models.JSONField(null=True)),
                        ('pinned', models.BooleanField(null=True)),
                        ('fingerprint', models.BinaryField(null=True)),
                        ('origin', models.JSONField(default=dict)),
                        ('conflicts', models.JSONField(null=True)),
                        ('log_known_at', models.DateTimeField(null=True)),
                        ('caller_known_at', models.DateTimeField(null=True)),
                        ('model_known_at', models.DateTimeField(null=True)),
                        ('pk', models.CompositePrimaryKey('endpoint_id', 'key', 'day', blank=True, editable=False, primary_key=True, serialize=False)),
                    ],
                    options={
                        'db_table': 'challenges_prediction',
                    },
                ),
                migrations.CreateModel(
                    name='KeptPrediction',
                    fields=[
                        ('day', models.DateField()),
                        ('endpoint_id', models.BigIntegerField()),
                        ('key', models.TextField()),
                        ('at', models.DateTimeField()),
                        ('request_id', models.TextField(default='')),
                        ('client_id', models.TextField(default='')),
                        ('deployment', models.TextField(default='')),
                        ('model_version', models.TextField(default='')),
                        ('app_version', models.TextField(default='')),
                        ('status', models.SmallIntegerField(null=True)),
                        ('model_status', models.SmallIntegerField(null=True)),
                        ('duration_ms', models.FloatField(null=True)),
                        ('request_bytes', models.BigIntegerField(null=True)),
                        ('response_bytes', models.BigIntegerField(null=True)),
                        ('confidence', models.FloatField(null=True)),
                        ('high_risk', models.BooleanField(null=True)),
                        ('scores', models.JSONField(null=True)),
                        ('pinned', models.BooleanField(null=True)),
                        ('fingerprint', models.BinaryField(null=True)),
                        ('origin', models.JSONField(default=dict)),
                        ('conflicts', models.JSONField(null=True)),
                        ('log_known_at', models.DateTimeField(null=True)),
                        ('caller_known_at', models.DateTimeField(null=True)),
                        ('model_known_at', models.DateTimeField(null=True)),
                        ('pk', models.CompositePrimaryKey('endpoint_id', 'key', 'day', blank=True, editable=False, primary_key=True, serialize=False)),
                    ],
                    options={
                        'db_table': 'challenges_kept_prediction',
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name='LogCursor',
            fields=[
                ('endpoint', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='inventory.endpoint')),
                ('read_until', models.DateTimeField(null=True)),
                ('due_at', models.DateTimeField()),
                ('failures', models.PositiveSmallIntegerField(default=0)),
                ('reason', models.TextField(default='')),
            ],
            options={
                'db_table': 'challenges_log_cursor',
            },
        ),
        migrations.CreateModel(
            name='Case',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('asked_id', models.TextField(default='')),
                ('asked_at', models.DateTimeField(null=True)),
                ('day', models.DateField(null=True)),
                ('key', models.TextField(default='')),
                ('model', models.TextField(default='')),
                ('reference', models.TextField(default='')),
                ('state', models.TextField(choices=[('open', 'open'), ('decided', 'decided'), ('closed', 'closed')])),
                ('version', models.PositiveIntegerField(default=1)),
                ('outcome', models.TextField(blank=True, choices=[('stands', 'stands'), ('overturned', 'overturned'), ('cannot be determined', 'cannot be determined')], default='')),
                ('via', models.TextField()),
                ('idempotency_key', models.TextField(default='')),
                ('raised_by', models.TextField()),
                ('raised_at', models.DateTimeField()),
                ('due', models.JSONField(default=list)),
                ('next_due_at', models.DateTimeField(null=True)),
                ('two_roles', models.BooleanField(default=False)),
                ('decided_by', models.TextField(default='')),
                ('decided_at', models.DateTimeField(null=True)),
                ('confirmed_by', models.TextField(default='')),
                ('closed_at', models.DateTimeField(null=True)),
                ('legal_hold', models.BooleanField(default=False)),
                ('assigned_to', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('endpoint', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.endpoint')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.workspace')),
            ],
            options={
                'db_table': 'challenges_case',
            },
        ),
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('subject', models.TextField()),
                ('reason', models.TextField()),
                ('asked_by', models.TextField()),
                ('asked_at', models.DateTimeField()),
                ('agreed_by', models.TextField(default='')),
                ('agreed_at', models.DateTimeField(null=True)),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('texts', models.PositiveIntegerField(null=True)),
                ('workspace', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.workspace')),
            ],
            options={
                'db_table': 'challenges_erasure',
            },
        ),
        migrations.CreateModel(
            name='Evidence',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('document', models.BinaryField()),
                ('sha256', models.TextField()),
                ('collected_by', models.TextField()),
                ('collected_at', models.DateTimeField()),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evidence', to='challenges.case')),
            ],
            options={
                'db_table': 'challenges_evidence',
            },
        ),
        migrations.CreateModel(
            name='LegalHold',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('cause', models.TextField()),
                ('reason', models.TextField()),
                ('asked_by', models.TextField()),
                ('asked_at', models.DateTimeField()),
                ('agreed_by', models.TextField(default='')),
                ('agreed_at', models.DateTimeField(null=True)),
                ('ended_by', models.TextField(default='')),
                ('ended_at', models.DateTimeField(null=True)),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.endpoint')),
            ],
            options={
                'db_table': 'challenges_legal_hold',
            },
        ),
        migrations.CreateModel(
            name='Link',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('why', models.TextField()),
                ('by', models.TextField()),
                ('at', models.DateTimeField()),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='links', to='challenges.case')),
                ('other', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='challenges.case')),
            ],
            options={
                'db_table': 'challenges_link',
            },
        ),
        migrations.CreateModel(
            name='LogReading',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('endpoint_id', models.BigIntegerField()),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('outcome', models.TextField()),
                ('rows', models.IntegerField(default=0)),
                ('reason', models.TextField(default='')),
                ('known_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'challenges_log_reading',
                'indexes': [models.Index(fields=['endpoint_id', '-until'], name='challenges_log_reading_of')],
            },
        ),
        migrations.CreateModel(
            name='Move',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('version', models.PositiveIntegerField()),
                ('kind', models.TextField()),
                ('before', models.TextField(default='')),
                ('after', models.TextField()),
                ('data', models.JSONField(default=dict)),
                ('by', models.TextField()),
                ('at', models.DateTimeField()),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='moves', to='challenges.case')),
            ],
            options={
                'db_table': 'challenges_move',
            },
        ),
        migrations.CreateModel(
            name='Note',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.TextField()),
                ('version', models.PositiveIntegerField()),
                ('text', models.TextField()),
                ('by', models.TextField()),
                ('at', models.DateTimeField()),
                ('erased_at', models.DateTimeField(null=True)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notes', to='challenges.case')),
            ],
            options={
                'db_table': 'challenges_note',
            },
        ),
        migrations.CreateModel(
            name='Policy',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('clocks', models.JSONField(default=list)),
                ('two_roles', models.BooleanField(default=False)),
                ('band', models.FloatField(null=True)),
                ('since', models.DateTimeField()),
                ('set_by', models.TextField()),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.workspace')),
            ],
            options={
                'db_table': 'challenges_policy',
            },
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(fields=['workspace', '-id'], name='challenges_case_of_workspace'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('closed_at__isnull', True)), fields=['next_due_at'], name='challenges_case_due'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('model', ''), _negated=True), fields=['model'], name='challenges_case_model'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(fields=['endpoint', 'key'], name='challenges_case_record'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.UniqueConstraint(condition=models.Q(('idempotency_key', ''), _negated=True), fields=('raised_by', 'idempotency_key'), name='challenges_case_idempotency'),
        ),
        migrations.AddConstraint(
            model_name='evidence',
            constraint=models.UniqueConstraint(fields=('case', 'number'), name='challenges_evidence_number'),
        ),
        migrations.AddConstraint(
            model_name='link',
            constraint=models.UniqueConstraint(fields=('case', 'other'), name='challenges_link_once'),
        ),
        migrations.AddConstraint(
            model_name='move',
            constraint=models.UniqueConstraint(fields=('case', 'version'), name='challenges_move_version'),
        ),
        migrations.AddIndex(
            model_name='policy',
            index=models.Index(fields=['workspace', '-since'], name='challenges_policy_as_of'),
        ),
    ]
