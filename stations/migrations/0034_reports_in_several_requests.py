"""Reports that are asked for in several requests, and the open reports of a station, found without looking at all of it."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0033_highest_security_profile")]

    operations = [
        migrations.AddField(
            model_name="report",
            name="parts",
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
        AddIndexConcurrently(
            "report",
            models.Index(fields=["station"], condition=Q(finished_at__isnull=True), name="report_station_open"),
        ),
    ]
