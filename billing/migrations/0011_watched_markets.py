"""The prices of markets are part of an operator's price list: processes that keep them know when others have come."""

from django.db import migrations

from billing import pricelists

WATCHED = ("billing_priceseries", "billing_pricepoint")


class Migration(migrations.Migration):
    dependencies = [("billing", "0010_receipts")]

    operations = [migrations.RunSQL(pricelists.watch(table), pricelists.unwatch(table)) for table in WATCHED]
