"""Tariffs get versions, and apply where they are assigned.

The columns of prices stay in the table, with defaults, so that processes of the release before go on working while they are
restarted one by one; what they say is version 1.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

COLUMNS = ("price_per_kwh", "price_per_minute", "price_per_session", "tax_percent")


def to_versions(apps, schema_editor):
    """Version 1 of each tariff is what its columns say. The table is small: an operator has a few."""
    TariffVersion = apps.get_model("billing", "TariffVersion")
    made = []
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, operator_id, created_at, price_per_kwh, price_per_minute, price_per_session, tax_percent FROM billing_tariff"
        )
        for pk, operator, created_at, per_kwh, per_minute, per_session, tax in cursor.fetchall():
            prices = {"FLAT": per_session, "ENERGY": per_kwh, "TIME": 60 * per_minute}
            charged = {kind: amount for kind, amount in prices.items() if amount} or {"FLAT": 0}
            parts = [{"type": kind, "price": float(amount), "vat": float(tax), "step_size": 1} for kind, amount in charged.items()]
            body = {"elements": [{"price_components": parts}]}
            made.append(TariffVersion(operator_id=operator, tariff_id=pk, number=1, valid_from=created_at, ocpi=body))
    TariffVersion._base_manager.bulk_create(made)


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0002_charge_record_index"),
        ("accounts", "0001_initial"),
        ("stations", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="TariffVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(default=1)),
                ("valid_from", models.DateTimeField()),
                ("ocpi", models.JSONField()),
                ("note", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
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
                (
                    "tariff",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="billing.tariff",
                    ),
                ),
            ],
            options={
                "ordering": ["tariff", "-number"],
                "constraints": [
                    models.UniqueConstraint(fields=("tariff", "valid_from"), name="tariffversion_tariff_from"),
                    models.UniqueConstraint(fields=("tariff", "number"), name="tariffversion_tariff_number"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TariffAssignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "audience",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Everybody"),
                            ("ad_hoc", "Who pays without a contract"),
                            ("drivers", "Registered drivers"),
                            ("group", "A group of id tags"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                *(
                    (
                        name,
                        models.ForeignKey(
                            blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to=to
                        ),
                    )
                    for name, to in (
                        ("evse", "stations.evse"),
                        ("group", "accounts.idtokengroup"),
                        ("site", "stations.site"),
                        ("station", "stations.station"),
                    )
                ),
                (
                    "operator",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"),
                ),
                (
                    "tariff",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="assignments", to="billing.tariff"),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("operator", "site", "station", "evse", "audience", "group"),
                        name="tariffassignment_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("site", None), ("station", None))
                        | models.Q(("evse", None), ("site", None))
                        | models.Q(("evse", None), ("station", None)),
                        name="tariffassignment_one_place",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("audience", "group"), ("group__isnull", False))
                        | models.Q(models.Q(("audience", "group"), _negated=True), ("group", None)),
                        name="tariffassignment_group",
                    ),
                ],
            },
        ),
        migrations.RunPython(to_versions, migrations.RunPython.noop),
        migrations.AddField(
            "chargerecord",
            "choice",
            models.JSONField(db_default={}, default=dict, help_text="Which version of the tariff it was, and why that one."),
        ),
        migrations.AlterField(
            "tariff",
            "is_default",
            models.BooleanField(default=False, help_text="It applies where no other is assigned."),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f"ALTER TABLE billing_tariff {', '.join(f'ALTER COLUMN {name} SET DEFAULT 0' for name in COLUMNS)}",
                    f"ALTER TABLE billing_tariff {', '.join(f'ALTER COLUMN {name} DROP DEFAULT' for name in COLUMNS)}",
                )
            ],
            state_operations=[migrations.RemoveField("tariff", name) for name in COLUMNS],
        ),
    ]
