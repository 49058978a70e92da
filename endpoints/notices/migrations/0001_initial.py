"""The outbox's tables."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('access', '0002_freeze_overrider'),
    ]

    operations = [
        migrations.CreateModel(
            name='Channel',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.TextField(choices=[('mail', 'mail'), ('webhook', 'webhook')])),
                ('name', models.TextField()),
                ('address', models.TextField()),
                ('topics', models.JSONField(default=list)),
                ('made_by', models.TextField()),
                ('made_at', models.DateTimeField()),
                ('ended_by', models.TextField(default='')),
                ('ended_at', models.DateTimeField(null=True)),
                ('workspace', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.workspace')),
            ],
            options={
                'db_table': 'notices_channel',
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('topic', models.TextField()),
                ('key', models.TextField()),
                ('subject', models.TextField()),
                ('text', models.TextField(default='')),
                ('facts', models.JSONField(default=dict)),
                ('link', models.TextField(default='')),
                ('made_at', models.DateTimeField()),
                ('workspace', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.workspace')),
            ],
            options={
                'db_table': 'notices_message',
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('due_at', models.DateTimeField()),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('reason', models.TextField(default='')),
                ('sent_at', models.DateTimeField(null=True)),
                ('given_up_at', models.DateTimeField(null=True)),
                ('channel', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='notices.channel')),
                ('message', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='notices.message')),
            ],
            options={
                'db_table': 'notices_delivery',
            },
        ),
        migrations.AddConstraint(
            model_name='channel',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('workspace', 'kind', 'address'), name='notices_channel_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(fields=('topic', 'key'), name='notices_message_once'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('given_up_at__isnull', True), ('sent_at__isnull', True)), fields=['due_at'], name='notices_delivery_due'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('message', 'channel'), name='notices_delivery_once'),
        ),
    ]
