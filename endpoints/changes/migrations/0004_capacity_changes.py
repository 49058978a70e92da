"""Changes of capacity: a kind of their own, where they came from, and the files kept before a delete."""

import django.db.models.deletion
import endpoints.changes.lifecycle
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('changes', '0003_staged_rollouts'),
    ]

    operations = [
        migrations.AddField(
            model_name='change',
            name='origin',
            field=models.CharField(blank=True, max_length=40),
        ),
        migrations.AlterField(
            model_name='change',
            name='kind',
            field=models.CharField(choices=[(endpoints.changes.lifecycle.Kind['TRAFFIC'], endpoints.changes.lifecycle.Kind['TRAFFIC']), (endpoints.changes.lifecycle.Kind['ROLLBACK'], endpoints.changes.lifecycle.Kind['ROLLBACK']), (endpoints.changes.lifecycle.Kind['DRILL'], endpoints.changes.lifecycle.Kind['DRILL']), (endpoints.changes.lifecycle.Kind['CAPACITY'], endpoints.changes.lifecycle.Kind['CAPACITY'])], max_length=20),
        ),
        migrations.CreateModel(
            name='KeptFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.TextField()),
                ('text', models.TextField()),
                ('left_out', models.JSONField(default=list)),
                ('at', models.DateTimeField()),
                ('change', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='kept', to='changes.change')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('change', 'name'), name='changes_one_kept_file_each')],
            },
        ),
    ]
