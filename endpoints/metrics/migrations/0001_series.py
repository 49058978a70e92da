"""The three series, partitioned by time, and the functions that make and drop their partitions.

The functions belong to the owner of the tables and run with his rights: the runtime role may write rows, and may ask
for a partition to be made or dropped, but can neither change nor drop a table. Percentages and latencies are `real`;
a day's counts may pass what a `real` holds exactly.
"""

from django.db import migrations, models

TABLES = """
CREATE TABLE metrics_minute (
    deployment_id bigint NOT NULL,
    minute timestamptz NOT NULL,
    requests real,
    status_2xx real,
    status_4xx real,
    status_429 real,
    status_5xx real,
    model_errors real,
    p50 real,
    p90 real,
    p95 real,
    p99 real,
    cpu_avg real,
    cpu_max real,
    memory_avg real,
    memory_max real,
    gpu_avg real,
    gpu_max real,
    gpu_memory_max real,
    disk_max real,
    instances real,
    PRIMARY KEY (deployment_id, minute)
) PARTITION BY RANGE (minute);

CREATE TABLE metrics_kept_minute (
    deployment_id bigint NOT NULL,
    minute timestamptz NOT NULL,
    requests real,
    status_2xx real,
    status_4xx real,
    status_429 real,
    status_5xx real,
    model_errors real,
    p50 real,
    p90 real,
    p95 real,
    p99 real,
    cpu_avg real,
    cpu_max real,
    memory_avg real,
    memory_max real,
    gpu_avg real,
    gpu_max real,
    gpu_memory_max real,
    disk_max real,
    instances real,
    PRIMARY KEY (deployment_id, minute)
);

CREATE TABLE metrics_hour (
    deployment_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    minutes smallint NOT NULL,
    request_minutes smallint NOT NULL,
    idle_minutes smallint NOT NULL,
    capacity_minutes smallint NOT NULL,
    requests real,
    status_4xx real,
    status_429 real,
    status_5xx real,
    model_errors real,
    p50 real,
    p95 real,
    p99 real,
    p95_max real,
    p99_max real,
    p95_histogram bytea,
    cpu_avg real,
    cpu_max real,
    memory_avg real,
    memory_max real,
    gpu_avg real,
    gpu_max real,
    instance_minutes real,
    idle_instance_minutes real,
    PRIMARY KEY (deployment_id, hour)
) PARTITION BY RANGE (hour);

CREATE TABLE metrics_day (
    deployment_id bigint NOT NULL,
    day date NOT NULL,
    minutes smallint NOT NULL,
    request_minutes smallint NOT NULL,
    idle_minutes smallint NOT NULL,
    capacity_minutes smallint NOT NULL,
    requests double precision,
    status_4xx double precision,
    status_429 double precision,
    status_5xx double precision,
    model_errors double precision,
    p50 real,
    p95 real,
    p99 real,
    p95_max real,
    p99_max real,
    p95_histogram bytea,
    cpu_avg real,
    cpu_max real,
    memory_avg real,
    memory_max real,
    gpu_avg real,
    gpu_max real,
    instance_minutes real,
    idle_instance_minutes real,
    PRIMARY KEY (deployment_id, day)
) PARTITION BY RANGE (day);
"""

FUNCTIONS = """
-- Where the partition of a series that holds a day begins and ends, and its name.
CREATE FUNCTION metrics_partition(series text, holding date, OUT name text, OUT begins date, OUT ends date)
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    CASE series
        WHEN 'minute' THEN
            begins := holding; ends := holding + 1; name := 'metrics_minute_' || to_char(begins, 'YYYYMMDD');
        WHEN 'hour' THEN
            begins := date_trunc('month', holding::timestamp)::date;
            ends := (begins + interval '1 month')::date;
            name := 'metrics_hour_' || to_char(begins, 'YYYYMM');
        WHEN 'day' THEN
            begins := date_trunc('year', holding::timestamp)::date;
            ends := (begins + interval '1 year')::date;
            name := 'metrics_day_' || to_char(begins, 'YYYY');
        ELSE
            RAISE EXCEPTION 'no series of metrics is called %', series USING ERRCODE = 'invalid_parameter_value';
    END CASE;
END $$;

-- Make the partition that holds a day; its name, also when it was there.
CREATE FUNCTION metrics_make_partition(series text, holding date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted record;
    bounds text;
BEGIN
    SELECT * INTO wanted FROM public.metrics_partition(series, holding);
    IF to_regclass('public.' || wanted.name) IS NOT NULL THEN
        RETURN wanted.name;
    END IF;
    IF series = 'day' THEN
        bounds := format('FROM (%L) TO (%L)', wanted.begins, wanted.ends);
    ELSE
        bounds := format('FROM (%L) TO (%L)', wanted.begins || ' 00:00:00+00', wanted.ends || ' 00:00:00+00');
    END IF;
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS public.%I PARTITION OF public.%I FOR VALUES %s',
        wanted.name, 'metrics_' || series, bounds);
    RETURN wanted.name;
END $$;

-- Drop the partition that holds a day, if all of it is older than two days. Days are never dropped.
CREATE FUNCTION metrics_drop_partition(series text, holding date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted record;
BEGIN
    SELECT * INTO wanted FROM public.metrics_partition(series, holding);
    IF series = 'day' OR wanted.ends > (clock_timestamp() AT TIME ZONE 'UTC')::date - 2 THEN
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

DROP_TABLES = """
DROP TABLE metrics_day;
DROP TABLE metrics_hour;
DROP TABLE metrics_kept_minute;
DROP TABLE metrics_minute;
"""
DROP_FUNCTIONS = """
DROP FUNCTION metrics_drop_partition(text, date);
DROP FUNCTION metrics_make_partition(text, date);
DROP FUNCTION metrics_partition(text, date);
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = []

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(TABLES, DROP_TABLES),
                migrations.RunSQL(FUNCTIONS, DROP_FUNCTIONS),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='Day',
                    fields=[
                        ('deployment_id', models.BigIntegerField()),
                        ('minutes', models.SmallIntegerField()),
                        ('request_minutes', models.SmallIntegerField()),
                        ('idle_minutes', models.SmallIntegerField()),
                        ('capacity_minutes', models.SmallIntegerField()),
                        ('requests', models.FloatField(null=True)),
                        ('status_4xx', models.FloatField(null=True)),
                        ('status_429', models.FloatField(null=True)),
                        ('status_5xx', models.FloatField(null=True)),
                        ('model_errors', models.FloatField(null=True)),
                        ('p50', models.FloatField(null=True)),
                        ('p95', models.FloatField(null=True)),
                        ('p99', models.FloatField(null=True)),
                        ('p95_max', models.FloatField(null=True)),
                        ('p99_max', models.FloatField(null=True)),
                        ('p95_histogram', models.BinaryField(null=True)),
                        ('cpu_avg', models.FloatField(null=True)),
                        ('cpu_max', models.FloatField(null=True)),
                        ('memory_avg', models.FloatField(null=True)),
                        ('memory_max', models.FloatField(null=True)),
                        ('gpu_avg', models.FloatField(null=True)),
                        ('gpu_max', models.FloatField(null=True)),
                        ('instance_minutes', models.FloatField(null=True)),
                        ('idle_instance_minutes', models.FloatField(null=True)),
                        ('pk', models.CompositePrimaryKey('deployment_id', 'day', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('day', models.DateField()),
                    ],
                    options={
                        'db_table': 'metrics_day',
                    },
                ),
                migrations.CreateModel(
                    name='Hour',
                    fields=[
                        ('deployment_id', models.BigIntegerField()),
                        ('minutes', models.SmallIntegerField()),
                        ('request_minutes', models.SmallIntegerField()),
                        ('idle_minutes', models.SmallIntegerField()),
                        ('capacity_minutes', models.SmallIntegerField()),
                        ('requests', models.FloatField(null=True)),
                        ('status_4xx', models.FloatField(null=True)),
                        ('status_429', models.FloatField(null=True)),
                        ('status_5xx', models.FloatField(null=True)),
                        ('model_errors', models.FloatField(null=True)),
                        ('p50', models.FloatField(null=True)),
                        ('p95', models.FloatField(null=True)),
                        ('p99', models.FloatField(null=True)),
                        ('p95_max', models.FloatField(null=True)),
                        ('p99_max', models.FloatField(null=True)),
                        ('p95_histogram', models.BinaryField(null=True)),
                        ('cpu_avg', models.FloatField(null=True)),
                        ('cpu_max', models.FloatField(null=True)),
                        ('memory_avg', models.FloatField(null=True)),
                        ('memory_max', models.FloatField(null=True)),
                        ('gpu_avg', models.FloatField(null=True)),
                        ('gpu_max', models.FloatField(null=True)),
                        ('instance_minutes', models.FloatField(null=True)),
                        ('idle_instance_minutes', models.FloatField(null=True)),
                        ('pk', models.CompositePrimaryKey('deployment_id', 'hour', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('hour', models.DateTimeField()),
                    ],
                    options={
                        'db_table': 'metrics_hour',
                    },
                ),
                migrations.CreateModel(
                    name='KeptMinute',
                    fields=[
                        ('deployment_id', models.BigIntegerField()),
                        ('minute', models.DateTimeField()),
                        ('requests', models.FloatField(null=True)),
                        ('status_2xx', models.FloatField(null=True)),
                        ('status_4xx', models.FloatField(null=True)),
                        ('status_429', models.FloatField(null=True)),
                        ('status_5xx', models.FloatField(null=True)),
                        ('model_errors', models.FloatField(null=True)),
                        ('p50', models.FloatField(null=True)),
                        ('p90', models.FloatField(null=True)),
                        ('p95', models.FloatField(null=True)),
                        ('p99', models.FloatField(null=True)),
                        ('cpu_avg', models.FloatField(null=True)),
                        ('cpu_max', models.FloatField(null=True)),
                        ('memory_avg', models.FloatField(null=True)),
                        ('memory_max', models.FloatField(null=True)),
                        ('gpu_avg', models.FloatField(null=True)),
                        ('gpu_max', models.FloatField(null=True)),
                        ('gpu_memory_max', models.FloatField(null=True)),
                        ('disk_max', models.FloatField(null=True)),
                        ('instances', models.FloatField(null=True)),
                        ('pk', models.CompositePrimaryKey('deployment_id', 'minute', blank=True, editable=False, primary_key=True, serialize=False)),
                    ],
                    options={
                        'db_table': 'metrics_kept_minute',
                    },
                ),
                migrations.CreateModel(
                    name='Minute',
                    fields=[
                        ('deployment_id', models.BigIntegerField()),
                        ('minute', models.DateTimeField()),
                        ('requests', models.FloatField(null=True)),
                        ('status_2xx', models.FloatField(null=True)),
                        ('status_4xx', models.FloatField(null=True)),
                        ('status_429', models.FloatField(null=True)),
                        ('status_5xx', models.FloatField(null=True)),
                        ('model_errors', models.FloatField(null=True)),
                        ('p50', models.FloatField(null=True)),
                        ('p90', models.FloatField(null=True)),
                        ('p95', models.FloatField(null=True)),
                        ('p99', models.FloatField(null=True)),
                        ('cpu_avg', models.FloatField(null=True)),
                        ('cpu_max', models.FloatField(null=True)),
                        ('memory_avg', models.FloatField(null=True)),
                        ('memory_max', models.FloatField(null=True)),
                        ('gpu_avg', models.FloatField(null=True)),
                        ('gpu_max', models.FloatField(null=True)),
                        ('gpu_memory_max', models.FloatField(null=True)),
                        ('disk_max', models.FloatField(null=True)),
                        ('instances', models.FloatField(null=True)),
                        ('pk', models.CompositePrimaryKey('deployment_id', 'minute', blank=True, editable=False, primary_key=True, serialize=False)),
                    ],
                    options={
                        'db_table': 'metrics_minute',
                    },
                ),
            ],
        ),
    ]
