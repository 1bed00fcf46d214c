"""The signatures of messages that stations signed, with the log's entry: a new column, of which rows that are there say nothing."""

from django.db import migrations, models

SQL = """
SET LOCAL lock_timeout = '5s';
ALTER TABLE stations_messagelogentry ADD COLUMN signatures text;
"""
REVERSE = "ALTER TABLE stations_messagelogentry DROP COLUMN signatures"


class Migration(migrations.Migration):
    dependencies = [("stations", "0046_what_boots_and_events_tell")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(SQL, REVERSE)],
            state_operations=[migrations.AddField("messagelogentry", "signatures", models.TextField(blank=True, null=True))],
        ),
    ]
