"""By which of a workspace's rules a day of the ledger was made: others make it anew."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('capacity', '0003_findings'),
    ]

    operations = [
        migrations.AddField(
            model_name='made',
            name='rule_set',
            field=models.PositiveIntegerField(default=0),
        ),
    ]
