"""The market's prices that a session was billed by, as its charge record keeps them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0015_times_of_what_is_paid")]

    operations = [
        migrations.AddField(
            "chargerecord",
            "market",
            models.JSONField(db_default={}, default=dict, help_text="The prices of its series that applied, by their names."),
        ),
    ]
