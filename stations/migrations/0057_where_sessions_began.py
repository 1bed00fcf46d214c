"""Where a charger stood when a session began, so that what applied then stays applied when it is moved."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0056_parked")]

    operations = [
        migrations.AddField(
            "transaction",
            "site",
            models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="stations.site",
            ),
        ),
        migrations.AddField(
            "transaction",
            "time_zone",
            models.CharField(blank=True, db_default="", default="", editable=False, max_length=50),
        ),
    ]
