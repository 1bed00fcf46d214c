"""The sessions of one charger in a time, for the marks of its chart. Concurrently: nobody waits while it is built."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("stations", "0004_transaction_fillfactor")]
    operations = [
        AddIndexConcurrently("transaction", models.Index(fields=["station", "-started_at"], name="transaction_station_started")),
    ]
