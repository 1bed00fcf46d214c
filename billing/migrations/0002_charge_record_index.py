"""Charge records in the order in which the API lists them. The operator's own index is then one too many."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

#: Its name is Django's, made of the table's and the column's.
OPERATORS_OWN = "billing_chargerecord_operator_id_5f2b444d"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("billing", "0001_initial"), ("accounts", "0001_initial")]

    operations = [
        AddIndexConcurrently(
            "chargerecord", models.Index(fields=["operator", "-created_at", "-id"], name="chargerecord_operator_created")
        ),
        # As AlterField would do it, but without a lock that everybody waits for.
        migrations.RunSQL(
            f"DROP INDEX CONCURRENTLY IF EXISTS {OPERATORS_OWN}",
            f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {OPERATORS_OWN} ON billing_chargerecord (operator_id)",
            state_operations=[
                migrations.AlterField(
                    "chargerecord",
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
            ],
        ),
    ]
