"""Business figures: who defined which, and their values by minute, in partitions that go with those of minutes."""

import django.db.models.deletion
from django.db import migrations, models

COLUMNS = """
    figure_id bigint NOT NULL,
    deployment text NOT NULL,
    minute timestamptz NOT NULL,
    count bigint NOT NULL CHECK (count >= 0),
    total double precision NOT NULL,
    PRIMARY KEY (figure_id, deployment, minute)
"""
TABLES = f"""
CREATE TABLE metrics_figure_minute ({COLUMNS}) PARTITION BY RANGE (minute);
CREATE TABLE metrics_kept_figure_minute ({COLUMNS});
"""
DROP_TABLES = """
DROP TABLE metrics_kept_figure_minute;
DROP TABLE metrics_figure_minute;
"""

FUNCTION = """
-- Where the partition of a series that holds a day begins and ends, and its name.
CREATE OR REPLACE FUNCTION metrics_partition(series text, holding date, OUT name text, OUT begins date, OUT ends date)
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    CASE series
        WHEN 'minute', 'figure_minute' THEN
            begins := holding; ends := holding + 1;
            name := 'metrics_' || series || '_' || to_char(begins, 'YYYYMMDD');
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
"""


def values(name, table):
    return migrations.CreateModel(
        name=name,
        fields=[
            ('figure_id', models.BigIntegerField()),
            ('deployment', models.TextField()),
            ('minute', models.DateTimeField()),
            ('count', models.BigIntegerField()),
            ('total', models.FloatField()),
            ('pk', models.CompositePrimaryKey('figure_id', 'deployment', 'minute', blank=True, editable=False, primary_key=True, serialize=False)),
        ],
        options={
            'db_table': table,
        },
    )


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0001_initial'),
        ('metrics', '0004_packed_hours'),
    ]

    operations = [
        migrations.CreateModel(
            name='Figure',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.TextField()),
                ('label', models.TextField()),
                ('kind', models.TextField()),
                ('unit', models.TextField(default='')),
                ('made_by', models.TextField()),
                ('made_at', models.DateTimeField()),
                ('ended_by', models.TextField(default='')),
                ('ended_at', models.DateTimeField(null=True)),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.endpoint')),
            ],
            options={
                'db_table': 'metrics_figure',
                'indexes': [models.Index(fields=['endpoint', '-id'], name='metrics_figure_newest')],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('endpoint', 'name'), name='metrics_figure_once'),
                    models.CheckConstraint(condition=models.Q(('kind__in', ('rate', 'mean'))), name='metrics_figure_kind'),
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(TABLES, DROP_TABLES),
                migrations.RunSQL(FUNCTION, migrations.RunSQL.noop),
            ],
            state_operations=[
                values('FigureMinute', 'metrics_figure_minute'),
                values('KeptFigureMinute', 'metrics_kept_figure_minute'),
            ],
        ),
    ]
