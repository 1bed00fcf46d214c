"""The firmware library, and the attempts to bring its images onto stations."""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_kinds_of_people_and_audit"),
        ("stations", "0012_samples_by_receipt"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Firmware",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("vendor", models.CharField(max_length=50)),
                ("model", models.CharField(blank=True, max_length=50)),
                ("version", models.CharField(max_length=100)),
                ("name", models.CharField(max_length=100)),
                ("path", models.CharField(editable=False, max_length=200)),
                ("size", models.BigIntegerField(help_text="Bytes.")),
                ("sha256", models.CharField(max_length=64)),
                ("md5", models.CharField(max_length=32)),
                ("signature", models.CharField(blank=True, max_length=800)),
                ("signing_certificate", models.CharField(blank=True, max_length=5500)),
                ("notes", models.CharField(blank=True, max_length=2000)),
                ("created_at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["operator", "-id"], name="firmware_operator_id")],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("operator"),
                        django.db.models.functions.text.Upper("vendor"),
                        django.db.models.functions.text.Upper("model"),
                        django.db.models.functions.text.Upper("version"),
                        condition=models.Q(("withdrawn_at__isnull", True)),
                        name="firmware_natural_key",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FirmwareUpdate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("attempt", models.PositiveIntegerField(help_text="Counted from 1 for this station and image.")),
                ("request_id", models.IntegerField()),
                ("token_hash", models.CharField(editable=False, max_length=64, unique=True)),
                ("expires_at", models.DateTimeField()),
                ("retrieve_at", models.DateTimeField(blank=True, null=True)),
                ("install_at", models.DateTimeField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sent", "Sent"),
                            ("downloading", "Downloading"),
                            ("downloaded", "Downloaded"),
                            ("verified", "Verified"),
                            ("installing", "Installing"),
                            ("rebooting", "Rebooting"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=12,
                    ),
                ),
                ("status_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("download", "Download failed"),
                            ("signature", "Signature refused"),
                            ("install", "Installation failed"),
                            ("version", "Came back with another version"),
                            ("timeout", "Timed out"),
                            ("rejected", "Rejected"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=12,
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=300)),
                ("signed", models.BooleanField(default=False, help_text="Whether the station took it with its signature.")),
                ("bytes_served", models.BigIntegerField(default=0)),
                ("firmware_before", models.CharField(blank=True, max_length=100)),
                ("steps", models.JSONField(blank=True, default=list)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "command",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="stations.command",
                    ),
                ),
                (
                    "firmware",
                    models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, related_name="updates", to="stations.firmware"),
                ),
                (
                    "operator",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "station",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="firmware_updates",
                        to="stations.station",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["station", "-id"], name="firmwareupdate_station_id"),
                    models.Index(fields=["operator", "-id"], name="firmwareupdate_operator_id"),
                    models.Index(
                        condition=models.Q(("finished_at__isnull", True)), fields=["due_at"], name="firmwareupdate_open_due"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("station", "firmware", "attempt"), name="firmwareupdate_attempt"),
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at__isnull", True)),
                        fields=("station",),
                        name="firmwareupdate_station_open",
                    ),
                ],
            },
        ),
    ]
