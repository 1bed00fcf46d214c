"""What went wrong in a network is found without reading what went well.

Only rows with an error stand in this index, so that it costs the batch nothing but a look at the outcome. Built beside the
writers, partition by partition: building it on the parent would hold up every station until it is done.
"""

from django.db import migrations

TABLE = "stations_messagelogentry"
NAME = "messagelogentry_operator_errors"
INDEX = "(operator_id, received_at, id) WHERE outcome NOT IN ('result', '')"
PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1"


def build(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        # Not valid until every partition has it; a partition made from now on brings it along.
        cursor.execute(f"CREATE INDEX IF NOT EXISTS {NAME} ON ONLY {TABLE} {INDEX}")
        cursor.execute(PARTITIONS, [TABLE])
        for (partition,) in cursor.fetchall():
            name = f"{partition}_errors"
            # A build that was broken off leaves an index that is not used, and would not be built again.
            cursor.execute("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid", [name])
            if cursor.fetchone():
                cursor.execute(f"DROP INDEX CONCURRENTLY {name}")
            cursor.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {partition} {INDEX}")
            cursor.execute(f"ALTER INDEX {NAME} ATTACH PARTITION {name}")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0006_fruitless_commands")]

    operations = [
        migrations.RunPython(build, lambda apps, schema_editor: schema_editor.execute(f"DROP INDEX {NAME}")),
    ]
