"""What meters signed, and the doubt that comes of it."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_local_lists"),
        ("stations", "0037_runs_that_count_who_is_offline"),
    ]

    operations = [
        migrations.AlterField(
            model_name="transaction",
            name="doubt",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "none"),
                    ("start_missing", "start missing"),
                    ("stop_missing", "stop missing"),
                    ("register", "register"),
                    ("events_missing", "events missing"),
                    ("stop_attached", "stop attached"),
                    ("signed", "signed"),
                    ("set_aside", "set aside"),
                ],
                default="",
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="SignedReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("evse_number", models.PositiveSmallIntegerField()),
                ("at", models.DateTimeField()),
                ("context", models.CharField(max_length=20)),
                ("encoding", models.CharField(blank=True, max_length=50)),
                ("signing_method", models.CharField(blank=True, max_length=50)),
                ("data", models.TextField()),
                ("public_key", models.TextField(blank=True)),
                ("digest", models.CharField(editable=False, max_length=64)),
                ("received_at", models.DateTimeField()),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
                (
                    "station",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="signed_readings",
                        to="stations.station",
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="signed_readings",
                        to="stations.transaction",
                    ),
                ),
                (
                    "owner",
                    models.GeneratedField(
                        db_persist=True,
                        expression=Coalesce("transaction_id", -F("evse_number")),
                        output_field=models.BigIntegerField(),
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
                "indexes": [
                    models.Index(fields=["operator", "-id"], name="signedreading_operator_id"),
                    models.Index(
                        condition=models.Q(("transaction__isnull", False)),
                        fields=["transaction", "at"],
                        name="signedreading_transaction",
                    ),
                    models.Index(
                        condition=models.Q(("transaction__isnull", True)), fields=["received_at"], name="signedreading_of_nobody"
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("station", "owner", "digest"), name="signedreading_natural_key")],
            },
        ),
    ]
