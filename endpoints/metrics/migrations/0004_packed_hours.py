"""Hours that nothing changes any more, a day of them in one row: a third of the space, and one index entry for 24.

A deployment's day is either in metrics_hour or here, never in both. `metrics_hours` reads the two as one.
"""

from django.db import migrations

COLUMNS = (
    ("minutes", "smallint"),
    ("request_minutes", "smallint"),
    ("idle_minutes", "smallint"),
    ("capacity_minutes", "smallint"),
    ("requests", "real"),
    ("status_4xx", "real"),
    ("status_429", "real"),
    ("status_5xx", "real"),
    ("model_errors", "real"),
    ("p50", "real"),
    ("p95", "real"),
    ("p99", "real"),
    ("p95_max", "real"),
    ("p99_max", "real"),
    ("p95_histogram", "bytea"),
    ("cpu_avg", "real"),
    ("cpu_max", "real"),
    ("memory_avg", "real"),
    ("memory_max", "real"),
    ("gpu_avg", "real"),
    ("gpu_max", "real"),
    ("instance_minutes", "real"),
    ("idle_instance_minutes", "real"),
)
NAMES = ", ".join(name for name, _ in COLUMNS)

# Compressed in place: out of line, each day would cost more reads than it saves.
TABLE = f"""
CREATE TABLE metrics_packed_hour (
    deployment_id bigint NOT NULL,
    day date NOT NULL,
    {", ".join(f"{name} {kind}[]" for name, kind in COLUMNS)},
    PRIMARY KEY (deployment_id, day)
) PARTITION BY RANGE (day);
ALTER TABLE metrics_packed_hour {", ".join(f"ALTER {name} SET STORAGE MAIN" for name, _ in COLUMNS)};
"""

FUNCTIONS = f"""
-- Where the partition of a series that holds a day begins and ends, and its name.
CREATE OR REPLACE FUNCTION metrics_partition(series text, holding date, OUT name text, OUT begins date, OUT ends date)
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    CASE series
        WHEN 'minute' THEN
            begins := holding; ends := holding + 1; name := 'metrics_minute_' || to_char(begins, 'YYYYMMDD');
        WHEN 'hour', 'packed_hour' THEN
            begins := date_trunc('month', holding::timestamp)::date;
            ends := (begins + interval '1 month')::date;
            name := 'metrics_' || series || '_' || to_char(begins, 'YYYYMM');
        WHEN 'day' THEN
            begins := date_trunc('year', holding::timestamp)::date;
            ends := (begins + interval '1 year')::date;
            name := 'metrics_day_' || to_char(begins, 'YYYY');
        ELSE
            RAISE EXCEPTION 'no series of metrics is called %', series USING ERRCODE = 'invalid_parameter_value';
    END CASE;
END $$;

-- Make the partition that holds a day; its name, also when it was there.
CREATE OR REPLACE FUNCTION metrics_make_partition(series text, holding date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted record;
    bounds text;
    options text := '';
BEGIN
    SELECT * INTO wanted FROM public.metrics_partition(series, holding);
    -- Not to_regclass: without a lock it may still see a partition that somebody else has just dropped.
    IF EXISTS (SELECT FROM pg_class c
               WHERE c.relname = wanted.name AND c.relnamespace = 'public'::regnamespace) THEN
        RETURN wanted.name;
    END IF;
    -- One maker at a time: IF NOT EXISTS alone lets two make the same name, and one of them fail.
    PERFORM pg_advisory_xact_lock(7203417);
    IF series IN ('day', 'packed_hour') THEN
        bounds := format('FROM (%L) TO (%L)', wanted.begins, wanted.ends);
    ELSE
        bounds := format('FROM (%L) TO (%L)', wanted.begins || ' 00:00:00+00', wanted.ends || ' 00:00:00+00');
    END IF;
    IF series = 'packed_hour' THEN
        options := ' WITH (toast_tuple_target = 128)';
    END IF;
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS public.%I PARTITION OF public.%I FOR VALUES %s%s',
        wanted.name, 'metrics_' || series, bounds, options);
    RETURN wanted.name;
END $$;

-- The hours of some deployments from `since` up to `until`, packed or not, in no particular order.
CREATE FUNCTION metrics_hours(ids bigint[], since timestamptz, until timestamptz) RETURNS SETOF metrics_hour
LANGUAGE sql STABLE AS $$
    SELECT deployment_id, hour, {NAMES} FROM metrics_hour
    WHERE deployment_id = ANY (ids) AND hour >= since AND hour < until
    UNION ALL
    SELECT p.deployment_id, (p.day::timestamp AT TIME ZONE 'UTC') + (u.place - 1) * interval '1 hour',
        {", ".join(f"u.{name}" for name, _ in COLUMNS)}
    FROM metrics_packed_hour p
    CROSS JOIN LATERAL unnest({", ".join(f"p.{name}" for name, _ in COLUMNS)}) WITH ORDINALITY
        AS u ({NAMES}, place)
    WHERE p.deployment_id = ANY (ids) AND u.minutes IS NOT NULL
    AND p.day >= (since AT TIME ZONE 'UTC')::date AND p.day <= (until AT TIME ZONE 'UTC')::date
    AND (p.day::timestamp AT TIME ZONE 'UTC') + (u.place - 1) * interval '1 hour' >= since
    AND (p.day::timestamp AT TIME ZONE 'UTC') + (u.place - 1) * interval '1 hour' < until
$$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0003_rollups'),
    ]

    operations = [
        migrations.RunSQL(TABLE, "DROP TABLE metrics_packed_hour"),
        migrations.RunSQL(FUNCTIONS, "DROP FUNCTION metrics_hours(bigint[], timestamptz, timestamptz)"),
    ]
