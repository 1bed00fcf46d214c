"""The sessions of an id tag, of a site and those in doubt are read along an index in the order of their starts.

Sessions of before their site was noted are given that of their station, as it stands now, a thousand at a time.
"""

from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Upper

EACH = 1000
NOTED = """
WITH those AS (
    SELECT id, station_id FROM stations_transaction WHERE id > %s ORDER BY id LIMIT %s
), noted AS (
    UPDATE stations_transaction t SET site_id = s.site_id, time_zone = coalesce(l.time_zone, %s)
    FROM those JOIN stations_station s ON s.id = those.station_id LEFT JOIN stations_site l ON l.id = s.site_id
    WHERE t.id = those.id AND t.time_zone = ''
)
SELECT max(id) FROM those
"""


def note_sites(apps, schema_editor):
    last = 0
    with schema_editor.connection.cursor() as cursor:
        while last is not None:
            cursor.execute(NOTED, [last, EACH, settings.TIME_ZONE])
            (last,) = cursor.fetchone()


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0061_lists_by_index")]

    operations = [
        migrations.RunPython(note_sites, migrations.RunPython.noop),
        AddIndexConcurrently(
            "transaction",
            models.Index("operator", Upper("id_tag"), F("started_at").desc(), F("id").desc(), name="transaction_tag_started"),
        ),
        RemoveIndexConcurrently("transaction", "transaction_operator_tag"),
        AddIndexConcurrently(
            "transaction",
            models.Index(
                fields=["operator", "-started_at", "-id"],
                condition=~Q(doubt__in=("", "set_aside")),
                name="transaction_doubted_started",
            ),
        ),
        AddIndexConcurrently(
            "transaction",
            models.Index(fields=["site", "-started_at", "-id"], condition=Q(site__isnull=False), name="transaction_site_started"),
        ),
    ]
