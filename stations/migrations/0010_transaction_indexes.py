"""Whether a session ended at a moment is found by an index; two indexes with which others begin are let go."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


def without_index(name, related_name, to, index):
    """The foreign key's own index goes without holding up those who write."""
    column = f"{name}_id"
    return migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(
                f"DROP INDEX CONCURRENTLY IF EXISTS {index}",
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index} ON stations_transaction ({column})",
            )
        ],
        state_operations=[
            migrations.AlterField(
                "transaction",
                name,
                models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name=related_name, to=to),
            )
        ],
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0009_transactions_by_tag_and_doubt")]

    operations = [
        AddIndexConcurrently(
            "transaction",
            models.Index(
                fields=["station", "stopped_at"],
                condition=models.Q(stopped_at__isnull=False),
                name="transaction_station_stopped",
            ),
        ),
        without_index("operator", "+", "accounts.operator", "stations_transaction_operator_id_8b1bf5c1"),
        without_index("station", "transactions", "stations.station", "stations_transaction_station_id_acccd897"),
    ]
