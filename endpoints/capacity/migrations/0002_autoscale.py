"""Versions of autoscale settings by deployment, and how reading them goes by subscription."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('capacity', '0001_ledger')]

    operations = [
        migrations.CreateModel(
            name='AutoscaleSetting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('deployment_id', models.BigIntegerField()),
                ('arm_id', models.TextField()),
                ('document', models.JSONField()),
                ('faults', django.contrib.postgres.fields.ArrayField(models.TextField(), default=list, size=None)),
                ('earliest', models.DateTimeField(null=True)),
                ('read_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'capacity_autoscale',
                'constraints': [
                    models.UniqueConstraint(
                        fields=('deployment_id',),
                        condition=models.Q(('ended_at__isnull', True)),
                        name='capacity_autoscale_one_in_force',
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name='AutoscaleReading',
            fields=[
                ('subscription', models.TextField(primary_key=True, serialize=False)),
                ('due_at', models.DateTimeField()),
                ('read_at', models.DateTimeField(null=True)),
                ('groups', django.contrib.postgres.fields.ArrayField(models.TextField(), null=True, size=None)),
                ('failed_at', models.DateTimeField(null=True)),
                ('reason', models.TextField(default='')),
            ],
            options={'db_table': 'capacity_autoscale_reading'},
        ),
    ]
