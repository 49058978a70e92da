"""Sizes, prices and quota by subscription and region."""

from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name='PriceReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subscription', models.TextField()),
                ('region', models.TextField()),
                ('sizes_due_at', models.DateTimeField()),
                ('sizes_read_at', models.DateTimeField(null=True)),
                ('sizes_failed_at', models.DateTimeField(null=True)),
                ('sizes_reason', models.TextField(default='')),
                ('quotas_due_at', models.DateTimeField()),
                ('quotas_read_at', models.DateTimeField(null=True)),
                ('quotas_failed_at', models.DateTimeField(null=True)),
                ('quotas_reason', models.TextField(default='')),
            ],
            options={
                'db_table': 'prices_reading',
                'constraints': [models.UniqueConstraint(fields=('subscription', 'region'), name='prices_reading_once')],
            },
        ),
        migrations.CreateModel(
            name='Quota',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subscription', models.TextField()),
                ('region', models.TextField()),
                ('family', models.TextField()),
                ('label', models.TextField()),
                ('used', models.BigIntegerField()),
                ('limit', models.BigIntegerField(null=True)),
                ('unit', models.TextField(default='')),
                ('read_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'prices_quota',
                'constraints': [models.UniqueConstraint(fields=('subscription', 'region', 'family', 'label'), name='prices_quota_once')],
            },
        ),
        migrations.CreateModel(
            name='SkuPrice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subscription', models.TextField()),
                ('region', models.TextField()),
                ('sku', models.TextField()),
                ('amount', models.DecimalField(decimal_places=10, max_digits=20, null=True)),
                ('currency', models.TextField(default='')),
                ('source', models.TextField()),
                ('earliest', models.DateTimeField(null=True)),
                ('seen_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'prices_sku_price',
                'constraints': [models.UniqueConstraint(fields=('subscription', 'region', 'sku', 'source', 'seen_at'), name='prices_price_once')],
            },
        ),
        migrations.CreateModel(
            name='SkuSize',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subscription', models.TextField()),
                ('region', models.TextField()),
                ('name', models.TextField()),
                ('label', models.TextField()),
                ('family', models.TextField(default='')),
                ('vcpus', models.IntegerField(null=True)),
                ('gpus', models.IntegerField(null=True)),
                ('memory_gb', models.FloatField(null=True)),
                ('for_endpoints', models.BooleanField()),
                ('price_note', models.TextField(default='')),
                ('seen_at', models.DateTimeField()),
                ('missing_since', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'prices_sku_size',
                'constraints': [models.UniqueConstraint(fields=('subscription', 'region', 'name'), name='prices_size_once')],
            },
        ),
    ]
