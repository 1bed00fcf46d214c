"""For the API's filters of transactions: by tag and by doubt. Concurrently: nobody waits while they are built."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0008_command_runs")]

    operations = [
        AddIndexConcurrently(
            "transaction", models.Index("operator", Upper("id_tag"), F("id").desc(), name="transaction_operator_tag")
        ),
        AddIndexConcurrently(
            "transaction",
            models.Index(fields=["operator", "-id"], condition=~Q(doubt=""), name="transaction_operator_doubt"),
        ),
    ]
