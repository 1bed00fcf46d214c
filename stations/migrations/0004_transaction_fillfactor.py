"""Room on the pages of transactions: a running one is updated with every reading, and finds a place beside itself (HOT)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("stations", "0003_commands_and_variables")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE stations_transaction SET (fillfactor = 70)", "ALTER TABLE stations_transaction RESET (fillfactor)"
        ),
    ]
