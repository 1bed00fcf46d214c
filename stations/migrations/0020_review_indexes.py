"""What waits for a person, and what a station showed last. Concurrently: nobody waits while they are built."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0019_transactions_that_are_due")]

    operations = [
        migrations.AlterField(
            "transaction",
            "doubt",
            models.CharField(
                blank=True,
                choices=[
                    ("", "none"),
                    ("start_missing", "start missing"),
                    ("stop_missing", "stop missing"),
                    ("register", "register"),
                    ("events_missing", "events missing"),
                    ("stop_attached", "stop attached"),
                    ("set_aside", "set aside"),
                ],
                default="",
                max_length=20,
            ),
        ),
        AddIndexConcurrently(
            "transaction",
            models.Index(
                fields=["operator", "-id"], condition=~Q(doubt__in=("", "set_aside")), name="transaction_operator_waiting"
            ),
        ),
        AddIndexConcurrently("finding", models.Index(fields=["station", "code", "-last_at"], name="finding_station_code")),
        AddIndexConcurrently(
            "repairmessage",
            models.Index(fields=["operator", "-id"], condition=Q(resolved_at=None), name="repairmessage_operator_open"),
        ),
    ]
