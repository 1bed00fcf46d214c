"""What stations show on their displays."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_former_id_tags"),
        ("stations", "0027_security"),
    ]

    operations = [
        migrations.CreateModel(
            name="DisplayMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField()),
                (
                    "priority",
                    models.CharField(
                        choices=[("AlwaysFront", "AlwaysFront"), ("InFront", "InFront"), ("NormalCycle", "NormalCycle")],
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("Charging", "Charging"),
                            ("Faulted", "Faulted"),
                            ("Idle", "Idle"),
                            ("Unavailable", "Unavailable"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "format",
                    models.CharField(
                        choices=[("ASCII", "ASCII"), ("HTML", "HTML"), ("URI", "URI"), ("UTF8", "UTF8")], max_length=8
                    ),
                ),
                ("language", models.CharField(blank=True, max_length=8)),
                ("content", models.TextField()),
                ("start_at", models.DateTimeField(blank=True, null=True)),
                ("end_at", models.DateTimeField(blank=True, null=True)),
                ("ocpp_transaction_id", models.CharField(blank=True, max_length=36)),
                (
                    "component",
                    models.CharField(blank=True, help_text="The display it is for, where a station has several.", max_length=50),
                ),
                ("evse_number", models.PositiveSmallIntegerField(default=0)),
                ("report", models.BigIntegerField(blank=True, null=True)),
                ("set_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
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
                        related_name="display_messages",
                        to="stations.station",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["operator", "-id"], name="displaymessage_operator_id"),
                    models.Index(fields=["station", "-id"], name="displaymessage_station_id"),
                    models.Index(fields=["set_at"], name="displaymessage_set"),
                ],
                "constraints": [models.UniqueConstraint(fields=("station", "number"), name="displaymessage_station_number")],
            },
        ),
    ]
