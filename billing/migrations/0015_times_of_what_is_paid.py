"""Since when a session pays for a reservation, and for parking, as its charge record keeps it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0014_former_assignments")]

    operations = [
        migrations.AddField(
            "chargerecord",
            "reserved_at",
            models.DateTimeField(blank=True, help_text="Since when it pays for a reservation; null: it does not.", null=True),
        ),
        migrations.AddField(
            "chargerecord",
            "charging_ended_at",
            models.DateTimeField(blank=True, help_text="Since when it pays for parking; null: it does not.", null=True),
        ),
    ]
