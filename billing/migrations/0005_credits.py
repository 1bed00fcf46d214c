"""Charge records are corrected by credits, and the database keeps them as they are."""

import django.db.models.deletion
from django.db import migrations, models

#: Deletions and changes are refused row by row; what changes nothing is let pass. TRUNCATE and restoring a dump go on working.
TRIGGER = """
CREATE FUNCTION billing_chargerecord_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW IS NOT DISTINCT FROM OLD THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'A charge record is never changed or deleted: it is corrected by a credit and a new record.'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER billing_chargerecord_stays BEFORE UPDATE OR DELETE ON billing_chargerecord
FOR EACH ROW EXECUTE FUNCTION billing_chargerecord_stays()
"""
UNTRIGGER = """
DROP TRIGGER billing_chargerecord_stays ON billing_chargerecord;
DROP FUNCTION billing_chargerecord_stays()
"""
COLUMNS = """
ALTER TABLE billing_chargerecord ADD COLUMN credits_id bigint NULL, ADD COLUMN version_id bigint NULL,
ADD CONSTRAINT chargerecord_credits FOREIGN KEY (credits_id)
    REFERENCES billing_chargerecord (id) DEFERRABLE INITIALLY DEFERRED NOT VALID;
ALTER TABLE billing_chargerecord
ADD CONSTRAINT chargerecord_version_of FOREIGN KEY (version_id)
    REFERENCES billing_tariffversion (id) DEFERRABLE INITIALLY DEFERRED NOT VALID
"""
UNCOLUMNS = "ALTER TABLE billing_chargerecord DROP COLUMN credits_id, DROP COLUMN version_id"


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_price_lists")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField(
            "chargerecord",
            "kind",
            models.CharField(
                choices=[("charge", "Charge"), ("credit", "Credit")], db_default="charge", default="charge", max_length=10
            ),
        ),
        migrations.AddField(
            "chargerecord",
            "reason",
            models.CharField(blank=True, db_default="", help_text="Why it was corrected.", max_length=300),
        ),
        migrations.AddField(
            "chargerecord", "request_key", models.CharField(blank=True, db_default="", editable=False, max_length=100)
        ),
        migrations.AddField("chargerecord", "started_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("chargerecord", "stopped_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("chargerecord", "taxes", models.JSONField(db_default=[], default=list)),
        migrations.AddField("chargerecord", "findings", models.JSONField(db_default=[], default=list)),
        migrations.AddField("chargerecord", "trust", models.CharField(blank=True, db_default="", max_length=15)),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(COLUMNS, UNCOLUMNS)],
            state_operations=[
                migrations.AddField(
                    "chargerecord",
                    "credits",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credited_by",
                        to="billing.chargerecord",
                    ),
                ),
                migrations.AddField(
                    "chargerecord",
                    "version",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.tariffversion",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(TRIGGER, UNTRIGGER),
    ]
