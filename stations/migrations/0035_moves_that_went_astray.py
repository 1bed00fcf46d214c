"""Moves to another network profile that need somebody, found without looking at the others."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("stations", "0034_reports_in_several_requests")]

    operations = [
        migrations.AddIndex(
            "networkmove",
            models.Index(fields=["operator", "-id"], condition=Q(status__in=("lost", "returned")), name="networkmove_astray"),
        ),
    ]
