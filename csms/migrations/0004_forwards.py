"""Second back ends to which stations are mirrored, and how far each station is there: new tables, which nobody waits for."""

import django.db.models.deletion
from django.db import migrations, models

import csms.sealing


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_kinds_of_people_and_audit"),
        ("stations", "0017_subscriptions"),
        ("csms", "0003_sealed_webhook_secrets"),
    ]

    operations = [
        migrations.CreateModel(
            name="Forward",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("url", models.CharField(max_length=500)),
                (
                    "style",
                    models.CharField(
                        choices=[("ocpp", "OCPP, as the charger"), ("envelope", "Envelopes (JSON)")], default="ocpp", max_length=10
                    ),
                ),
                ("identity", models.CharField(default="{identity}", max_length=120)),
                ("password", csms.sealing.SealedField(blank=True, max_length=600, purpose="forward password")),
                (
                    "which",
                    models.CharField(
                        choices=[("all", "All chargers"), ("site", "Those of a site"), ("chosen", "Chosen ones")],
                        default="all",
                        max_length=10,
                    ),
                ),
                ("from_station", models.BooleanField(default=True)),
                ("to_station", models.BooleanField(default=False)),
                ("only", models.JSONField(blank=True, default=list)),
                ("never", models.JSONField(blank=True, default=list)),
                ("active", models.BooleanField(default=True)),
                (
                    "version",
                    models.PositiveIntegerField(default=1, help_text="Counts its changes, so that the mirror notices one."),
                ),
                ("tried_at", models.DateTimeField(blank=True, null=True)),
                ("served_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="stations.site",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["operator", "id"], name="forward_operator_id")],
            },
        ),
        migrations.CreateModel(
            name="ForwardStation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "forward",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="csms.forward"
                    ),
                ),
                (
                    "station",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="stations.station"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("forward", "station"), name="forwardstation_forward_station")],
            },
        ),
        migrations.AddField(
            "forward",
            "stations",
            models.ManyToManyField(blank=True, related_name="+", through="csms.ForwardStation", to="stations.station"),
        ),
        migrations.CreateModel(
            name="ForwardLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("idle", "Idle"),
                            ("connecting", "Connecting"),
                            ("connected", "Connected"),
                            ("failing", "Failing"),
                        ],
                        default="idle",
                        max_length=10,
                    ),
                ),
                ("protocol", models.CharField(blank=True, default="", max_length=20)),
                ("read_from", models.DateTimeField()),
                ("position", models.BigIntegerField(default=0)),
                ("numbers", models.JSONField(blank=True, default=list)),
                ("introduced_at", models.DateTimeField(blank=True, null=True)),
                ("connected_at", models.DateTimeField(blank=True, null=True)),
                ("failing_since", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, default="", max_length=300)),
                ("sent", models.BigIntegerField(default=0)),
                ("refused", models.BigIntegerField(default=0)),
                ("dropped", models.BigIntegerField(default=0)),
                ("unmatched", models.BigIntegerField(default=0)),
                ("asked", models.BigIntegerField(default=0)),
                ("forwarded_at", models.DateTimeField(blank=True, null=True)),
                ("answer_ms", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
                (
                    "forward",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="links", to="csms.forward"
                    ),
                ),
                (
                    "station",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="stations.station"),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [
                    models.Index(fields=["forward", "state", "id"], name="forwardlink_state"),
                    models.Index(fields=["operator", "id"], name="forwardlink_operator_id"),
                    models.Index(
                        condition=models.Q(("failing_since__isnull", False)),
                        fields=["forward", "failing_since"],
                        name="forwardlink_failing",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("forward", "station"), name="forwardlink_forward_station")],
            },
        ),
    ]
