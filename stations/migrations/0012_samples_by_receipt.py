"""What samples came since a moment is found without reading the others.

They are written in the order of their receipt, so a BRIN index does, a hundred-thousandth of their size, and a batch hardly notices
it. Built beside the writers, partition by partition.
"""

from django.db import migrations

TABLE, NAME = "stations_metersample", "metersample_received"
INDEX = "USING brin (received_at) WITH (pages_per_range = 128, autosummarize = on)"
PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1"


def build(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        # Not valid until every partition has it; a partition made from now on brings it along.
        cursor.execute(f"CREATE INDEX IF NOT EXISTS {NAME} ON ONLY {TABLE} {INDEX}")
        cursor.execute(PARTITIONS, [TABLE])
        for (partition,) in cursor.fetchall():
            name = f"{partition}_received"
            # A build that was broken off leaves an index that is not used, and would not be built again.
            cursor.execute("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid", [name])
            if cursor.fetchone():
                cursor.execute(f"DROP INDEX CONCURRENTLY {name}")
            cursor.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {partition} {INDEX}")
            cursor.execute(f"ALTER INDEX {NAME} ATTACH PARTITION {name}")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0011_quarters_and_days")]

    operations = [
        migrations.RunPython(build, lambda apps, schema_editor: schema_editor.execute(f"DROP INDEX {NAME}")),
    ]
