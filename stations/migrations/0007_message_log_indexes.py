"""What went wrong in a network is found without reading what went well.

Only rows with an error stand in this index, so that it costs the batch nothing but a look at the outcome. Built beside the
writers, partition by partition: building it on the parent would hold up every station until it is done.
"""

from django.db import migrations

from stations import partitions

TABLE = "stations_messagelogentry"
NAME = "messagelogentry_operator_errors"
INDEX = "(operator_id, received_at, id) WHERE outcome NOT IN ('result', '')"


def build(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        partitions.build_index(cursor, TABLE, NAME, "errors", INDEX)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0006_fruitless_commands")]

    operations = [
        migrations.RunPython(build, lambda apps, schema_editor: schema_editor.execute(f"DROP INDEX {NAME}")),
    ]
