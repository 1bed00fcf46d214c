"""What samples came since a moment is found without reading the others.

They are written in the order of their receipt, so a BRIN index does, a hundred-thousandth of their size, and a batch hardly notices
it. Built beside the writers, partition by partition.
"""

from django.db import migrations

from stations import partitions

TABLE, NAME = "stations_metersample", "metersample_received"
INDEX = "USING brin (received_at) WITH (pages_per_range = 128, autosummarize = on)"


def build(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        partitions.build_index(cursor, TABLE, NAME, "received", INDEX)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0011_quarters_and_days")]

    operations = [
        migrations.RunPython(build, lambda apps, schema_editor: schema_editor.execute(f"DROP INDEX {NAME}")),
    ]
