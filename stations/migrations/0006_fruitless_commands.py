"""Commands that came to nothing are found for the work list without reading all the others."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0005_transactions_by_start")]

    operations = [
        AddIndexConcurrently(
            model_name="command",
            index=models.Index(
                fields=["operator", "-finished_at"],
                condition=models.Q(status__in=["rejected", "failed", "timed_out", "no_effect", "expired"]),
                name="command_operator_fruitless",
            ),
        ),
    ]
