"""What Resource Graph knows of a subscription, beside what is mirrored."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0003_outer_marks")]
    operations = [
        migrations.CreateModel(
            name="Discovery",
            fields=[
                ("subscription", models.TextField(primary_key=True, serialize=False)),
                ("looked_at", models.DateTimeField()),
                ("found_at", models.DateTimeField(null=True)),
                ("reason", models.TextField(default="")),
                ("endpoints", models.IntegerField(null=True)),
                ("connected", models.IntegerField(null=True)),
                ("elsewhere", models.JSONField(default=list)),
            ],
            options={"db_table": "inventory_discovery"},
        ),
    ]
