"""Local controllers that relay other stations, and the keys with which stations sign their messages; the steps of former runs."""

import django.db.models.deletion
from django.db import migrations, models

# The runs there were had a command for each station at once. By the index of commands that belong to a run: they are few.
BACKFILL = """
INSERT INTO stations_commandrunstep (run_id, station_id, command_id, state, reason, detail, finished_at)
SELECT DISTINCT ON (run_id, station_id) run_id, station_id, id,
    CASE WHEN status = 'confirmed' THEN 'done' WHEN status = 'cancelled' THEN 'cancelled'
         WHEN status IN ('queued', 'sent', 'accepted') THEN 'asked' ELSE 'failed' END,
    CASE WHEN status IN ('rejected', 'failed', 'timed_out', 'no_effect', 'expired') THEN status ELSE '' END, detail, finished_at
FROM stations_command WHERE run_id IS NOT NULL ORDER BY run_id, station_id, id DESC
"""


class Migration(migrations.Migration):
    dependencies = [("stations", "0030_command_runs_of_any_size")]

    operations = [
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="station",
            name="controller",
            field=models.ForeignKey(
                blank=True,
                help_text="The local controller that relays it: without that it cannot be heard.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="behind",
                to="stations.station",
            ),
        ),
        migrations.AddField(
            model_name="station",
            name="signing_key",
            field=models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="The public key or certificate (PEM) with which it signs its messages.",
            ),
        ),
    ]
