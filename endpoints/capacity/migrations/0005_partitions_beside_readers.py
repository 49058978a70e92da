"""Make partitions of the ledger without stopping anybody: attached, they take a lock that readers and writers share.

CREATE TABLE … PARTITION OF locks both series against everybody, one after the other: whoever read or wrote them the
other way round, and this, waited for each other.
"""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION capacity_make_partitions(holding date) RETURNS void
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
        -- One maker at a time; who waited finds it made.
        PERFORM pg_advisory_xact_lock(7203419);
        CONTINUE WHEN to_regclass('public.' || named) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', named, 'capacity_' || series);
        EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
            'capacity_' || series, named, begins, ends);
    END LOOP;
END $$;
"""
FORMER = """
CREATE OR REPLACE FUNCTION capacity_make_partitions(holding date) RETURNS void
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
        PERFORM pg_advisory_xact_lock(7203419);
        EXECUTE format('CREATE TABLE IF NOT EXISTS public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L)',
            named, 'capacity_' || series, begins, ends);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('capacity', '0004_rules_of_days'),
    ]

    operations = [
        migrations.RunSQL(FUNCTION, FORMER),
    ]
