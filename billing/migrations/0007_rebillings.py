"""Many charge records priced anew."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

STATES = [
    ("checking", "Working out what would change"),
    ("ready", "Ready to start"),
    ("running", "Running"),
    ("paused", "Paused"),
    ("cancelled", "Cancelled"),
    ("done", "Done"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0006_credit_indexes"),
        ("accounts", "0001_initial"),
        ("stations", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Rebilling",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token", models.CharField(max_length=100)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("reason", models.CharField(max_length=300)),
                ("state", models.CharField(choices=STATES, default="checking", max_length=10)),
                ("paused", models.CharField(blank=True, max_length=10)),
                ("first_id", models.BigIntegerField()),
                ("last_id", models.BigIntegerField()),
                ("at_id", models.BigIntegerField(default=0)),
                ("total", models.PositiveIntegerField()),
                ("looked_at", models.PositiveIntegerField(default=0)),
                ("would_change", models.PositiveIntegerField(default=0)),
                ("would_differ", models.JSONField(default=dict)),
                ("changed", models.PositiveIntegerField(default=0)),
                ("difference", models.JSONField(default=dict)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("failed", models.JSONField(default=list)),
                ("created_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
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
                (
                    "site",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="stations.site"
                    ),
                ),
                (
                    "tariff",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.tariff"),
                ),
                (
                    "under",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.tariff"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["operator", "-id"], name="rebilling_operator_id"),
                    models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="rebilling_due"),
                ],
                "constraints": [models.UniqueConstraint(fields=("operator", "token"), name="rebilling_operator_token")],
            },
        ),
    ]
