"""Charging profiles that their stations have lost are found without looking at the others."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0059_idle_updates")]

    operations = [
        AddIndexConcurrently(
            "chargingprofile",
            models.Index(
                fields=["operator", "-checked_at"],
                condition=models.Q(wanted__isnull=False, reported__isnull=True, checked_at__isnull=False),
                name="chargingprofile_missing",
            ),
        ),
    ]
