"""Updates by an address that is not the library's: they have no image, and no one-time address."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0053_logs_sent_elsewhere")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField("firmwareupdate", "location", models.CharField(blank=True, db_default="", default="", max_length=512)),
        migrations.AlterField(
            "firmwareupdate",
            "attempt",
            models.PositiveIntegerField(help_text="Counted from 1 for this station and image; else 1."),
        ),
        migrations.AlterField(
            "firmwareupdate",
            "firmware",
            models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="updates",
                to="stations.firmware",
            ),
        ),
        migrations.AlterField(
            "firmwareupdate",
            "token_hash",
            models.CharField(blank=True, editable=False, max_length=64, null=True, unique=True),
        ),
    ]
