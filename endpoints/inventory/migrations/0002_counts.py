"""Counts by severity, which every fleet page shows, come out of an index of their own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0001_initial")]
    operations = [
        migrations.AddIndex(
            model_name="endpoint",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["workspace", "severity"],
                name="inventory_endpoint_counts",
            ),
        ),
    ]
