"""The number of a publication is its own while it is under way: whoever writes CALLs may use one again."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("stations", "0051_slots_of_moves")]

    operations = [
        migrations.AddConstraint(
            "firmwarepublication",
            models.UniqueConstraint(
                fields=["station", "request_id"], condition=Q(finished_at__isnull=True), name="publication_number_open"
            ),
        ),
        migrations.RemoveConstraint("firmwarepublication", "publication_request"),
    ]
