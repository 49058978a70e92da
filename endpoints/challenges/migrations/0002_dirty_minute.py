"""Minutes whose figures must be counted anew, because records in them came or changed.

And the client's id is indexed with the time: a client that uses one id for everything must cost nobody a search.
"""

from django.db import migrations, models

CLIENTS_BY_TIME = """
DROP INDEX challenges_prediction_client;
DROP INDEX challenges_kept_prediction_client;
CREATE INDEX challenges_prediction_client ON challenges_prediction (client_id, at) WHERE client_id <> '';
CREATE INDEX challenges_kept_prediction_client ON challenges_kept_prediction (client_id, at) WHERE client_id <> '';
"""
CLIENTS_ALONE = """
DROP INDEX challenges_prediction_client;
DROP INDEX challenges_kept_prediction_client;
CREATE INDEX challenges_prediction_client ON challenges_prediction (client_id) WHERE client_id <> '';
CREATE INDEX challenges_kept_prediction_client ON challenges_kept_prediction (client_id) WHERE client_id <> '';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("challenges", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(CLIENTS_BY_TIME, CLIENTS_ALONE),
        migrations.CreateModel(
            name="DirtyMinute",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "endpoint_id", "minute", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("endpoint_id", models.BigIntegerField()),
                ("minute", models.DateTimeField()),
            ],
            options={
                "db_table": "challenges_dirty_minute",
            },
        ),
    ]
