"""Tariffs that are not to be chosen any more; a month's receipts as files."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

STATES = [("working", "Is being made"), ("done", "Ready"), ("failed", "Stopped"), ("cancelled", "Cancelled")]


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0012_not_emptied"),
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            "tariff",
            "retired_at",
            models.DateTimeField(blank=True, help_text="Since when it is not to be chosen any more.", null=True),
        ),
        migrations.AddConstraint(
            "tariff",
            models.CheckConstraint(
                condition=models.Q(("is_default", False)) | models.Q(("retired_at", None)), name="tariff_default_or_retired"
            ),
        ),
        migrations.CreateModel(
            name="ReceiptArchive",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField(help_text="Its first day.")),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("whole", models.BooleanField(help_text="The month was over: nothing can come into it any more.")),
                ("state", models.CharField(choices=STATES, default="working", max_length=10)),
                ("total", models.PositiveIntegerField()),
                ("made", models.PositiveIntegerField(default=0)),
                ("at", models.DateTimeField(blank=True, null=True)),
                ("at_id", models.BigIntegerField(default=0)),
                ("busy_s", models.FloatField(default=0)),
                ("unprinted", models.JSONField(default=list)),
                ("error", models.CharField(blank=True, max_length=300)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("lease", models.CharField(blank=True, max_length=32)),
                ("created_at", models.DateTimeField()),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
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
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["operator", "-id"], name="receiptarchive_operator_id"),
                    models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="receiptarchive_due"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "working")), fields=("operator", "month"), name="receiptarchive_one_working"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ArchiveFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("part", models.PositiveIntegerField()),
                ("piece", models.PositiveIntegerField(default=0)),
                ("path", models.CharField(max_length=200, unique=True)),
                ("size", models.BigIntegerField()),
                ("receipts", models.PositiveIntegerField()),
                ("first", models.CharField(max_length=60)),
                ("last", models.CharField(max_length=60)),
                ("created_at", models.DateTimeField()),
                (
                    "archive",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="billing.receiptarchive",
                    ),
                ),
            ],
            options={
                "ordering": ["part", "piece"],
                "constraints": [models.UniqueConstraint(fields=("archive", "part", "piece"), name="archivefile_once")],
            },
        ),
    ]
