"""What higher rooms find about an endpoint comes down as data, so that the fleet is sorted by all of it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0002_counts")]
    operations = [
        migrations.AddField(
            model_name="endpoint", name="outer_marks", field=models.JSONField(default=dict)
        ),
    ]
