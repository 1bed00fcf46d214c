"""Receipts: who issues them, the receipts, and for whom they are. What is issued is never changed or deleted, whoever asks."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FREEZE = """
CREATE FUNCTION billing_receipt_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A receipt is never changed or deleted: take it back with a credit note.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER billing_receipt_frozen BEFORE UPDATE OR DELETE ON billing_receipt
    FOR EACH ROW EXECUTE FUNCTION billing_receipt_frozen();
CREATE TRIGGER billing_receiptcustomer_frozen BEFORE UPDATE ON billing_receiptcustomer
    FOR EACH ROW EXECUTE FUNCTION billing_receipt_frozen();
"""
THAW = """
DROP TRIGGER billing_receipt_frozen ON billing_receipt;
DROP TRIGGER billing_receiptcustomer_frozen ON billing_receiptcustomer;
DROP FUNCTION billing_receipt_frozen();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0009_signed_readings"),
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Issuer",
            fields=[
                (
                    "operator",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="issuer",
                        serialize=False,
                        to="accounts.operator",
                    ),
                ),
                ("legal_name", models.CharField(blank=True, max_length=200)),
                ("address", models.CharField(blank=True, help_text="Several lines.", max_length=500)),
                ("vat_id", models.CharField(blank=True, max_length=40)),
                ("register", models.CharField(blank=True, max_length=200)),
                ("contact", models.CharField(blank=True, max_length=300)),
                ("footer", models.CharField(blank=True, max_length=1000)),
                (
                    "series",
                    models.CharField(
                        default="R{year}-",
                        max_length=20,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^(?:[A-Za-z0-9./_-]|\\{year\\}){0,19}[A-Za-z./_-]\\Z",
                                "Letters, digits and the signs . / _ - and {year}, 20 at most, with a letter or a sign at the end.",
                            )
                        ],
                    ),
                ),
                (
                    "language",
                    models.CharField(blank=True, help_text="For drivers who have chosen none; empty: the system's.", max_length=10),
                ),
                ("changed_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                (
                    "record",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="receipt",
                        serialize=False,
                        to="billing.chargerecord",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.operator"
                    ),
                ),
                ("series", models.CharField(max_length=40)),
                ("number", models.PositiveIntegerField()),
                ("label", models.CharField(help_text="Series and number, as people write it.", max_length=60)),
                ("language", models.CharField(max_length=10)),
                ("content", models.JSONField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-created_at", "-record_id"],
                "indexes": [
                    models.Index(fields=["operator", "-created_at", "-record"], name="receipt_operator_created"),
                    models.Index(fields=["operator", "number"], name="receipt_operator_number"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=["operator", "series", "number"], name="receipt_operator_series_number"),
                    models.UniqueConstraint(fields=["operator", "label"], name="receipt_operator_label"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReceiptCustomer",
            fields=[
                (
                    "receipt",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="customer",
                        serialize=False,
                        to="billing.receipt",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=120)),
                ("email", models.EmailField(max_length=254)),
                (
                    "driver",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
        ),
        migrations.RunSQL(FREEZE, THAW),
    ]
