"""Where logs are exported to, for whoever reads them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('metrics', '0005_figures'),
    ]

    operations = [
        migrations.AddField(
            model_name='telemetry',
            name='log_exports',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='telemetry',
            name='log_exports_at',
            field=models.DateTimeField(null=True),
        ),
    ]
