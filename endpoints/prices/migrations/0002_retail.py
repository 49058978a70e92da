"""A second source of prices: Azure's retail list, with a reading of its own for each place."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('prices', '0001_sizes_and_prices')]

    operations = [
        migrations.CreateModel(
            name='RetailSize',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subscription', models.TextField()),
                ('region', models.TextField()),
                ('name', models.TextField()),
                ('note', models.TextField(default='')),
                ('seen_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'prices_retail_size',
                'constraints': [models.UniqueConstraint(fields=('subscription', 'region', 'name'), name='prices_retail_once')],
            },
        ),
        migrations.AddField('skuprice', 'effective_at', models.DateTimeField(null=True)),
        migrations.AddField('pricereading', 'retail_due_at', models.DateTimeField(default=django.utils.timezone.now), preserve_default=False),
        migrations.AddField('pricereading', 'retail_read_at', models.DateTimeField(null=True)),
        migrations.AddField('pricereading', 'retail_failed_at', models.DateTimeField(null=True)),
        migrations.AddField('pricereading', 'retail_reason', models.TextField(default='')),
    ]
