"""TRUNCATE is no way around it: charge records and receipts are never deleted, all of them at once neither."""

from django.db import migrations

TABLES = {"billing_chargerecord": "billing_chargerecord_stays", "billing_receipt": "billing_receipt_frozen"}
TRIGGERS = "; ".join(
    f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {refuses}()"
    for table, refuses in TABLES.items()
)
UNTRIGGERS = "; ".join(f"DROP TRIGGER {table}_not_emptied ON {table}" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [("billing", "0011_watched_markets")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS, UNTRIGGERS),
    ]
