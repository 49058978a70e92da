"""Findings with their lives, what is known around them, and what savings came to."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0002_freeze_overrider'),
        ('capacity', '0002_autoscale'),
        ('changes', '0004_capacity_changes'),
        ('inventory', '0005_attribution'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Finding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20)),
                ('state', models.CharField(max_length=20)),
                ('version', models.PositiveIntegerField(default=1)),
                ('rules', models.PositiveSmallIntegerField()),
                ('rule_set', models.PositiveIntegerField(default=0)),
                ('currency', models.TextField(default='')),
                ('low_nanos', models.BigIntegerField(null=True)),
                ('high_nanos', models.BigIntegerField(null=True)),
                ('cause', models.TextField(default='')),
                ('cause_ref', models.TextField(default='')),
                ('facts', models.TextField()),
                ('advice', models.JSONField()),
                ('found_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField()),
                ('due', models.DateField(null=True)),
                ('until', models.DateField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('change', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.change')),
                ('claimed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('deployment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.deployment')),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.endpoint')),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.workspace')),
            ],
            options={
                'db_table': 'capacity_finding',
            },
        ),
        migrations.CreateModel(
            name='LeftAlone',
            fields=[
                ('deployment_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('endpoint_id', models.BigIntegerField()),
                ('workspace_id', models.BigIntegerField(db_index=True)),
                ('reasons', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ('kind', models.TextField()),
                ('currency', models.TextField(default='')),
                ('high_nanos', models.BigIntegerField(null=True)),
                ('seen_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'capacity_left_alone',
            },
        ),
        migrations.CreateModel(
            name='Looked',
            fields=[
                ('workspace_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('deployments', models.IntegerField()),
                ('seconds', models.FloatField()),
                ('failed', models.TextField(default='')),
            ],
            options={
                'db_table': 'capacity_looked',
            },
        ),
        migrations.CreateModel(
            name='Saving',
            fields=[
                ('finding', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='saving', serialize=False, to='capacity.finding')),
                ('state', models.CharField(max_length=20)),
                ('acted_at', models.DateTimeField()),
                ('currency', models.TextField(default='')),
                ('claimed_nanos', models.BigIntegerField(null=True)),
                ('hours', models.IntegerField(default=0)),
                ('unknown_hours', models.IntegerField(default=0)),
                ('before_seconds', models.BigIntegerField(default=0)),
                ('after_seconds', models.BigIntegerField(default=0)),
                ('saved_nanos', models.BigIntegerField(null=True)),
                ('monthly_nanos', models.BigIntegerField(null=True)),
                ('words', models.TextField(default='')),
                ('judged_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'capacity_saving',
            },
        ),
        migrations.CreateModel(
            name='FindingEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('kind', models.CharField(max_length=20)),
                ('before', models.CharField(blank=True, max_length=20)),
                ('after', models.CharField(max_length=20)),
                ('actor', models.TextField()),
                ('data', models.JSONField(default=dict)),
                ('at', models.DateTimeField()),
                ('finding', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='capacity.finding')),
            ],
            options={
                'db_table': 'capacity_finding_event',
            },
        ),
        migrations.CreateModel(
            name='FindingNote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField()),
                ('at', models.DateTimeField()),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notes', to='capacity.findingevent')),
            ],
            options={
                'db_table': 'capacity_finding_note',
            },
        ),
        migrations.CreateModel(
            name='PredictionValue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.DecimalField(decimal_places=6, max_digits=14, null=True)),
                ('currency', models.TextField()),
                ('reason', models.TextField()),
                ('made_by', models.TextField()),
                ('made_at', models.DateTimeField()),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.endpoint')),
            ],
            options={
                'db_table': 'capacity_prediction_value',
            },
        ),
        migrations.CreateModel(
            name='RuleSet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('document', models.JSONField()),
                ('reason', models.TextField()),
                ('made_by', models.TextField()),
                ('made_at', models.DateTimeField()),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.workspace')),
            ],
            options={
                'db_table': 'capacity_rule_set',
            },
        ),
        migrations.CreateModel(
            name='SpendPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('team', models.TextField(default='')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14, null=True)),
                ('currency', models.TextField()),
                ('reason', models.TextField()),
                ('made_by', models.TextField()),
                ('made_at', models.DateTimeField()),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.workspace')),
            ],
            options={
                'db_table': 'capacity_spend_plan',
            },
        ),
        migrations.CreateModel(
            name='Agreement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sku', models.TextField(default='')),
                ('region', models.TextField(default='')),
                ('share', models.DecimalField(decimal_places=6, max_digits=7)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField(null=True)),
                ('reason', models.TextField()),
                ('made_by', models.TextField()),
                ('made_at', models.DateTimeField()),
                ('ended_by', models.TextField(default='')),
                ('ended_at', models.DateTimeField(null=True)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.workspace')),
            ],
            options={
                'db_table': 'capacity_agreement',
                'constraints': [models.CheckConstraint(condition=models.Q(('share__gt', 0), ('share__lte', 1)), name='capacity_agreement_share')],
            },
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.TextField()),
                ('key', models.TextField()),
                ('words', models.TextField()),
                ('data', models.JSONField(default=dict)),
                ('since', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('workspace', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.workspace')),
            ],
            options={
                'db_table': 'capacity_alert',
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('workspace', 'key'), name='capacity_alert_once')],
            },
        ),
        migrations.AddIndex(
            model_name='finding',
            index=models.Index(fields=['workspace', 'state', '-high_nanos'], name='capacity_findings_of'),
        ),
        migrations.AddIndex(
            model_name='finding',
            index=models.Index(fields=['change'], name='capacity_finding_change'),
        ),
        migrations.AddConstraint(
            model_name='finding',
            constraint=models.UniqueConstraint(condition=models.Q(('deployment__isnull', False), ('ended_at__isnull', True)), fields=('deployment',), name='capacity_finding_one_of_a_deployment'),
        ),
        migrations.AddConstraint(
            model_name='finding',
            constraint=models.UniqueConstraint(condition=models.Q(('deployment__isnull', True), ('ended_at__isnull', True)), fields=('endpoint',), name='capacity_finding_one_of_an_endpoint'),
        ),
        migrations.AddConstraint(
            model_name='findingevent',
            constraint=models.UniqueConstraint(fields=('finding', 'version'), name='capacity_finding_event_version'),
        ),
        migrations.AddConstraint(
            model_name='ruleset',
            constraint=models.UniqueConstraint(fields=('workspace', 'number'), name='capacity_rule_set_number'),
        ),
    ]
