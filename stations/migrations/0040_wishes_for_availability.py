"""What is wanted in and out of service at a station: the newest such command of each place."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0039_group_terms")]

    operations = [
        AddIndexConcurrently(
            "command",
            models.Index(fields=["station", "-id"], condition=Q(kind="change_availability"), name="command_availability"),
        ),
    ]
