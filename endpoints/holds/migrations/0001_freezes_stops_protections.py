"""Freezes, stops, protections and overrides."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('access', '0001_initial'),
        ('inventory', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Override',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('hold', models.TextField()),
                ('subject', models.TextField()),
                ('reason', models.TextField()),
                ('until', models.DateTimeField(null=True)),
                ('overridden_by', models.TextField()),
                ('overridden_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'holds_override',
                'indexes': [models.Index(fields=['subject', 'hold'], name='holds_override_subject')],
            },
        ),
        migrations.CreateModel(
            name='Freeze',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name_pattern', models.TextField(default='')),
                ('owner', models.TextField(default='')),
                ('tag', models.TextField(default='')),
                ('title', models.TextField()),
                ('reason', models.TextField()),
                ('zone', models.TextField()),
                ('first_start', models.TextField()),
                ('first_end', models.TextField()),
                ('rule', models.TextField(default='')),
                ('excluded', models.JSONField(default=list)),
                ('starts_at', models.DateTimeField()),
                ('over_at', models.DateTimeField(null=True)),
                ('source', models.CharField(choices=[('page', 'page'), ('api', 'API'), ('ics', 'calendar file')], max_length=4)),
                ('uid', models.TextField(default='')),
                ('made_by', models.TextField()),
                ('made_at', models.DateTimeField()),
                ('ended_by', models.TextField(default='')),
                ('ended_at', models.DateTimeField(null=True)),
                ('end_reason', models.TextField(default='')),
                ('workspace', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.workspace')),
            ],
            options={
                'db_table': 'holds_freeze',
                'indexes': [models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['starts_at', 'over_at'], name='holds_freeze_alive')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True), models.Q(('uid', ''), _negated=True)), fields=('uid', 'workspace', 'name_pattern', 'owner', 'tag'), name='holds_freeze_uid_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('over_at__isnull', True), ('starts_at__lt', models.F('over_at')), _connector='OR'), name='holds_freeze_forward')],
            },
        ),
        migrations.CreateModel(
            name='Protection',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('deployment', models.TextField(default='')),
                ('cause', models.TextField()),
                ('reason', models.TextField()),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField(null=True)),
                ('made_by', models.TextField()),
                ('ended_by', models.TextField(default='')),
                ('ended_at', models.DateTimeField(null=True)),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.endpoint')),
            ],
            options={
                'db_table': 'holds_protection',
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('endpoint', 'deployment', 'cause'), name='holds_protection_once')],
            },
        ),
        migrations.CreateModel(
            name='Stop',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('reason', models.TextField()),
                ('stopped_by', models.TextField()),
                ('stopped_at', models.DateTimeField()),
                ('lifted_by', models.TextField(default='')),
                ('lifted_at', models.DateTimeField(null=True)),
                ('lift_reason', models.TextField(default='')),
                ('endpoint', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inventory.endpoint')),
                ('workspace', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.workspace')),
            ],
            options={
                'db_table': 'holds_stop',
                'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('workspace', 'endpoint'), name='holds_stop_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('endpoint__isnull', True), ('workspace__isnull', False), _connector='OR'), name='holds_stop_in_workspace')],
            },
        ),
    ]
