"""Which stations tell their drivers the price: found without looking at the settings of all. Concurrently: nobody waits meanwhile."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0028_display_messages")]

    operations = [
        AddIndexConcurrently(
            "variable",
            models.Index(
                fields=["station"],
                condition=Q(component="TariffCostCtrlr", variable__in=("Enabled", "Available"))
                | Q(component="", variable="CustomDisplayCostAndPrice"),
                name="variable_shows_costs",
            ),
        ),
    ]
