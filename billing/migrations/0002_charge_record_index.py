"""Charge records in the order in which the API lists them. The operator's own index is then one too many."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("billing", "0001_initial"), ("accounts", "0001_initial")]

    operations = [
        AddIndexConcurrently(
            "chargerecord", models.Index(fields=["operator", "-created_at", "-id"], name="chargerecord_operator_created")
        ),
        migrations.AlterField(
            "chargerecord",
            "operator",
            models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
            ),
        ),
    ]
