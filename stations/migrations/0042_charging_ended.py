"""Since when a vehicle asks for no energy: what parking costs begins then."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0041_payers")]

    operations = [
        migrations.AddField(
            "transaction",
            "charging_ended_at",
            models.DateTimeField(blank=True, help_text="Since when the vehicle is only parked.", null=True),
        ),
    ]
