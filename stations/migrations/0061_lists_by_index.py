"""Lists of a station, and of a doubt, are read along an index, however long they are. Those that others make superfluous go.

Made and dropped beside those who write. A session's start writes one index entry more, a finding and a connection one less.
"""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

DOUBTED = ~models.Q(doubt="")


def without_index(model, name, related_name, to, index):
    """The foreign key's own index goes without holding up those who write."""
    return migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(
                f"DROP INDEX CONCURRENTLY IF EXISTS {index}",
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index} ON stations_{model} ({name}_id)",
            )
        ],
        state_operations=[
            migrations.AlterField(
                model,
                name,
                models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name=related_name, to=to),
            )
        ],
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("accounts", "0012_terms_of_connections"), ("stations", "0060_missing_profiles")]

    operations = [
        AddIndexConcurrently("transaction", models.Index(fields=["station", "-id"], name="transaction_station_id")),
        AddIndexConcurrently(
            "transaction",
            models.Index(fields=["operator", "doubt", "-id"], condition=DOUBTED, name="transaction_operator_of_doubt"),
        ),
        RemoveIndexConcurrently("transaction", "transaction_operator_doubt"),
        AddIndexConcurrently("connectionhistory", models.Index(fields=["station", "-id"], name="connectionhistory_station_id")),
        without_index(
            "connectionhistory", "station", "connections", "stations.station", "stations_connectionhistory_station_id_f8e6b5b8"
        ),
        without_index("connectionhistory", "operator", "+", "accounts.operator", "stations_connectionhistory_operator_id_95e90fec"),
        AddIndexConcurrently("finding", models.Index(fields=["station", "-last_at"], name="finding_station_last")),
        without_index("finding", "station", "findings", "stations.station", "stations_finding_station_id_99f2cb21"),
        without_index("finding", "operator", "+", "accounts.operator", "stations_finding_operator_id_cc8681f5"),
        AddIndexConcurrently("repairmessage", models.Index(fields=["operator", "-id"], name="repairmessage_operator_id")),
        without_index("repairmessage", "operator", "+", "accounts.operator", "stations_repairmessage_operator_id_5f8daedd"),
    ]
