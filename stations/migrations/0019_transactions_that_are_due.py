"""For the sweep of transactions, and for stops that are sent again. Concurrently: nobody waits while they are built."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0018_transactions_of_the_field")]

    operations = [
        AddIndexConcurrently(
            "transaction", models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="transaction_due")
        ),
        AddIndexConcurrently(
            "transaction",
            models.Index(fields=["id"], condition=Q(status="active", due_at__isnull=True), name="transaction_unwatched"),
        ),
        AddIndexConcurrently(
            "transaction",
            models.Index(
                fields=["station", "station_stopped_at"],
                condition=Q(station_stopped_at__isnull=False),
                name="transaction_station_said_stop",
            ),
        ),
    ]
