"""Who made a drift, as Azure's activity log has it, and when to look again."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0004_discovery'),
    ]

    operations = [
        migrations.CreateModel(
            name='DriftSearch',
            fields=[
                ('drift', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='search', serialize=False, to='inventory.drift')),
                ('due_at', models.DateTimeField()),
                ('looked_at', models.DateTimeField(null=True)),
                ('reason', models.TextField(default='')),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'inventory_drift_search',
                'indexes': [models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['due_at'], name='inventory_search_due')],
            },
        ),
        migrations.CreateModel(
            name='DriftAttribution',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('found', models.TextField()),
                ('candidates', models.JSONField(default=list)),
                ('reason', models.TextField()),
                ('final', models.BooleanField()),
                ('known_at', models.DateTimeField()),
                ('drift', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attributions', to='inventory.drift')),
            ],
            options={
                'db_table': 'inventory_drift_attribution',
                'indexes': [models.Index(fields=['drift', '-id'], name='inventory_attribution_newest')],
            },
        ),
    ]
