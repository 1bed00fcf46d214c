"""What failed is found without looking at what is only waiting, of which there may be much."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0043_tokens_held_to_plugs")]

    operations = [
        AddIndexConcurrently(
            "outboxentry",
            models.Index(
                condition=models.Q(("attempts__gt", 0)), fields=["operator", "subscriber", "-id"], name="outbox_operator_failing"
            ),
        ),
    ]
