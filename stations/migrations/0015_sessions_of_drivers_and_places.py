"""A driver's sessions, newest first, and the sites near a place. Concurrently: nobody waits while the first is built."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("accounts", "0007_drivers"), ("stations", "0014_log_uploads")]

    operations = [
        AddIndexConcurrently("transaction", models.Index(fields=["id_token", "-id"], name="transaction_token_id")),
        # The new index begins with it, too.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "DROP INDEX CONCURRENTLY IF EXISTS stations_transaction_id_token_id_72027bae",
                    "CREATE INDEX CONCURRENTLY IF NOT EXISTS stations_transaction_id_token_id_72027bae ON stations_transaction (id_token_id)",
                )
            ],
            state_operations=[
                migrations.AlterField(
                    "transaction",
                    "id_token",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="transactions",
                        to="accounts.idtoken",
                    ),
                )
            ],
        ),
        migrations.AddIndex("site", models.Index(fields=["operator", "latitude", "longitude"], name="site_operator_place")),
    ]
