"""Collectors, what they found, what is kept, and latency budgets."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("inventory", "0001_initial"),
        ("metrics", "0001_series"),
    ]

    operations = [
        migrations.CreateModel(
            name='BudgetProposal',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('p95_ms', models.FloatField(null=True)),
                ('failure_share', models.FloatField(null=True)),
                ('reason', models.TextField(default='')),
                ('proposed_by', models.TextField()),
                ('proposed_at', models.DateTimeField()),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.endpoint')),
            ],
            options={
                'db_table': 'metrics_budget_proposal',
            },
        ),
        migrations.CreateModel(
            name='Collector',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('subscription', models.TextField()),
                ('region', models.TextField()),
                ('due_at', models.DateTimeField()),
                ('claim', models.UUIDField(null=True)),
                ('claimed_until', models.DateTimeField(null=True)),
                ('cadence_seconds', models.FloatField(null=True)),
                ('cadence_reason', models.TextField(default='')),
                ('failures', models.IntegerField(default=0)),
                ('retry_at', models.DateTimeField(null=True)),
                ('complete_until', models.DateTimeField(null=True)),
                ('batch_refused_at', models.DateTimeField(null=True)),
                ('batch_refused_reason', models.TextField(default='')),
            ],
            options={
                'db_table': 'metrics_collector',
            },
        ),
        migrations.CreateModel(
            name='DirtyHour',
            fields=[
                ('pk', models.CompositePrimaryKey('deployment_id', 'hour', blank=True, editable=False, primary_key=True, serialize=False)),
                ('deployment_id', models.BigIntegerField()),
                ('hour', models.DateTimeField()),
            ],
            options={
                'db_table': 'metrics_dirty_hour',
            },
        ),
        migrations.CreateModel(
            name='Telemetry',
            fields=[
                ('endpoint', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='inventory.endpoint')),
                ('state', models.TextField(default='none-yet')),
                ('reason', models.TextField(default='')),
                ('minute', models.DateTimeField(null=True)),
                ('read_at', models.DateTimeField(null=True)),
                ('lag_seconds', models.FloatField(null=True)),
                ('requests', models.FloatField(null=True)),
                ('p95', models.FloatField(null=True)),
                ('failure_share', models.FloatField(null=True)),
                ('over_budget', models.SmallIntegerField(null=True)),
                ('spark', models.JSONField(default=list)),
                ('spark_until', models.DateTimeField(null=True)),
                ('diagnostics_read_at', models.DateTimeField(null=True)),
                ('diagnostics_reason', models.TextField(default='')),
                ('log_categories', models.JSONField(null=True)),
            ],
            options={
                'db_table': 'metrics_telemetry',
            },
        ),
        migrations.CreateModel(
            name='BudgetDecision',
            fields=[
                ('proposal', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='decision', serialize=False, to='metrics.budgetproposal')),
                ('accepted', models.BooleanField()),
                ('decided_by', models.TextField()),
                ('decided_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'metrics_budget_decision',
            },
        ),
        migrations.CreateModel(
            name='Budget',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('p95_ms', models.FloatField(null=True)),
                ('failure_share', models.FloatField(null=True)),
                ('since', models.DateTimeField()),
                ('set_by', models.TextField()),
                ('confirmed_by', models.TextField(default='')),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.endpoint')),
                ('proposal', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='metrics.budgetproposal')),
            ],
            options={
                'db_table': 'metrics_budget',
            },
        ),
        migrations.CreateModel(
            name='Backfill',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('cursor', models.DateTimeField()),
                ('asked_by', models.TextField()),
                ('asked_at', models.DateTimeField()),
                ('claim', models.UUIDField(null=True)),
                ('claimed_until', models.DateTimeField(null=True)),
                ('due_at', models.DateTimeField()),
                ('failures', models.IntegerField(default=0)),
                ('points', models.BigIntegerField(default=0)),
                ('rows', models.BigIntegerField(default=0)),
                ('error', models.TextField(default='')),
                ('ended_at', models.DateTimeField(null=True)),
                ('cancelled_at', models.DateTimeField(null=True)),
                ('collector', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='metrics.collector')),
            ],
            options={
                'db_table': 'metrics_backfill',
            },
        ),
        migrations.CreateModel(
            name='CollectorRun',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('outcome', models.TextField()),
                ('started_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField()),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('calls', models.IntegerField(default=0)),
                ('points', models.IntegerField(default=0)),
                ('rows', models.IntegerField(default=0)),
                ('rows_changed', models.IntegerField(default=0)),
                ('lag_seconds', models.FloatField(null=True)),
                ('unreadable', models.JSONField(default=list)),
                ('truncated', models.JSONField(default=list)),
                ('error_code', models.TextField(default='')),
                ('error', models.TextField(default='')),
                ('azure_request_id', models.TextField(default='')),
                ('collector', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='metrics.collector')),
            ],
            options={
                'db_table': 'metrics_collector_run',
            },
        ),
        migrations.AddField(
            model_name='collector',
            name='last_run',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='metrics.collectorrun'),
        ),
        migrations.CreateModel(
            name='Keep',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('cause', models.TextField()),
                ('created_at', models.DateTimeField()),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.endpoint')),
            ],
            options={
                'db_table': 'metrics_keep',
            },
        ),
        migrations.CreateModel(
            name='Latest',
            fields=[
                ('deployment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='inventory.deployment')),
                ('endpoint_id', models.BigIntegerField()),
                ('minute', models.DateTimeField()),
                ('requests', models.FloatField(null=True)),
                ('p50', models.FloatField(null=True)),
                ('p95', models.FloatField(null=True)),
                ('p99', models.FloatField(null=True)),
                ('cpu_max', models.FloatField(null=True)),
                ('memory_max', models.FloatField(null=True)),
                ('gpu_max', models.FloatField(null=True)),
                ('instances', models.FloatField(null=True)),
                ('hour_minutes', models.SmallIntegerField()),
                ('hour_requests', models.FloatField(null=True)),
                ('hour_failures', models.FloatField(null=True)),
                ('hour_throttled', models.FloatField(null=True)),
                ('hour_p95_max', models.FloatField(null=True)),
                ('over_budget', models.SmallIntegerField(null=True)),
            ],
            options={
                'db_table': 'metrics_latest',
                'indexes': [models.Index(fields=['endpoint_id'], name='metrics_latest_endpoint')],
            },
        ),
        migrations.AddIndex(
            model_name='budgetproposal',
            index=models.Index(fields=['endpoint', '-proposed_at'], name='metrics_proposal_newest'),
        ),
        migrations.AddIndex(
            model_name='budget',
            index=models.Index(fields=['endpoint', '-since'], name='metrics_budget_as_of'),
        ),
        migrations.AddIndex(
            model_name='backfill',
            index=models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['due_at'], name='metrics_backfill_due'),
        ),
        migrations.AddIndex(
            model_name='collectorrun',
            index=models.Index(fields=['collector', '-ended_at'], name='metrics_run_newest'),
        ),
        migrations.AddIndex(
            model_name='collector',
            index=models.Index(fields=['due_at'], name='metrics_collector_due'),
        ),
        migrations.AddConstraint(
            model_name='collector',
            constraint=models.UniqueConstraint(fields=('subscription', 'region'), name='metrics_collector_once'),
        ),
        migrations.AddIndex(
            model_name='keep',
            index=models.Index(fields=['until'], name='metrics_keep_until'),
        ),
        migrations.AddConstraint(
            model_name='keep',
            constraint=models.CheckConstraint(condition=models.Q(('since__lt', models.F('until'))), name='metrics_keep_forward'),
        ),
        migrations.AddConstraint(
            model_name='keep',
            constraint=models.UniqueConstraint(fields=('endpoint', 'since', 'until', 'cause'), name='metrics_keep_once'),
        ),
    ]
