"""Days that are due for a rollup, and partitions that two processes may ask for at the same time."""

from django.db import migrations, models

FUNCTION = """
-- Make the partition that holds a day; its name, also when it was there.
CREATE OR REPLACE FUNCTION metrics_make_partition(series text, holding date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    wanted record;
    bounds text;
BEGIN
    SELECT * INTO wanted FROM public.metrics_partition(series, holding);
    IF to_regclass('public.' || wanted.name) IS NOT NULL THEN
        RETURN wanted.name;
    END IF;
    -- One maker at a time: IF NOT EXISTS alone lets two make the same name, and one of them fail.
    PERFORM pg_advisory_xact_lock(7203417);
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
"""


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0002_collecting'),
    ]

    operations = [
        migrations.CreateModel(
            name='DirtyDay',
            fields=[
                ('pk', models.CompositePrimaryKey('deployment_id', 'day', blank=True, editable=False, primary_key=True, serialize=False)),
                ('deployment_id', models.BigIntegerField()),
                ('day', models.DateField()),
            ],
            options={
                'db_table': 'metrics_dirty_day',
            },
        ),
        migrations.RunSQL(FUNCTION, migrations.RunSQL.noop),
    ]
