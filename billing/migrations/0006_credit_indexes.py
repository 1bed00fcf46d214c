"""A record is credited once, and what the columns of 0004 say is so; both without holding up those who write."""

from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models

#: What Django's own unique constraint of the column would be called.
ONCE = "billing_chargerecord_credits_id_key"


def validate(name):
    return migrations.RunSQL(f"ALTER TABLE billing_chargerecord VALIDATE CONSTRAINT {name}", migrations.RunSQL.noop)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("billing", "0005_credits")]

    operations = [
        migrations.RunSQL(
            f"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {ONCE} ON billing_chargerecord (credits_id)",
            f"DROP INDEX CONCURRENTLY IF EXISTS {ONCE}",
        ),
        validate("chargerecord_credits"),
        validate("chargerecord_version_of"),
        AddConstraintNotValid(
            "chargerecord",
            models.CheckConstraint(
                condition=models.Q(("credits__isnull", False), ("kind", "credit"))
                | models.Q(("credits", None), ("kind", "charge")),
                name="chargerecord_credit_of",
            ),
        ),
        ValidateConstraint("chargerecord", "chargerecord_credit_of"),
        AddIndexConcurrently("chargerecord", models.Index(fields=["version"], name="chargerecord_version")),
        AddIndexConcurrently(
            "chargerecord", models.Index(fields=["tariff", "-created_at", "-id"], name="chargerecord_tariff_created")
        ),
    ]
