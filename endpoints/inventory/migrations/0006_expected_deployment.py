"""Announce deletes of deployments, too, so that one that was ordered here is nobody's drift."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('inventory', '0005_attribution')]

    operations = [
        migrations.AddField(
            model_name='expectedwrite',
            name='deployment',
            field=models.TextField(default=''),
        ),
    ]
