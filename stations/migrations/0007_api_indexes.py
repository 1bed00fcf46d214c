"""For the API's filters of transactions: by station, by tag and by doubt. The station's own index is then one too many."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0004_transaction_fillfactor")]

    operations = [
        AddIndexConcurrently("transaction", models.Index(fields=["station", "-id"], name="transaction_station_id")),
        AddIndexConcurrently(
            "transaction", models.Index("operator", Upper("id_tag"), F("id").desc(), name="transaction_operator_tag")
        ),
        AddIndexConcurrently(
            "transaction",
            models.Index(fields=["operator", "-id"], condition=~Q(doubt=""), name="transaction_operator_doubt"),
        ),
        migrations.AlterField(
            "transaction",
            "station",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="transactions",
                to="stations.station",
            ),
        ),
    ]
