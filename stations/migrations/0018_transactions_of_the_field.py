"""What a transaction of the field needs: the station's own times, how its end came about, and when it is looked at next.

New columns only; rows are not written anew.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0017_subscriptions")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField(
            "station",
            "clock_offset_s",
            models.BigIntegerField(
                blank=True,
                help_text="How far the station's clock is ahead of ours, in seconds; negative if it is behind.",
                null=True,
            ),
        ),
        migrations.AddField(
            "station",
            "clock_offset_at",
            models.DateTimeField(blank=True, help_text="When that was last seen to change.", null=True),
        ),
        migrations.AddField("transaction", "station_started_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("transaction", "station_stopped_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("transaction", "register_fell", models.BooleanField(db_default=False, default=False)),
        migrations.AddField(
            "transaction",
            "reconstructed",
            models.CharField(
                blank=True,
                choices=[("", "none"), ("gaps", "gaps"), ("rule", "rule"), ("person", "person")],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField("transaction", "final_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("transaction", "due_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("transaction", "asked", models.PositiveSmallIntegerField(db_default=0, default=0)),
        migrations.AlterField(
            "transaction",
            "doubt",
            models.CharField(
                blank=True,
                choices=[
                    ("", "none"),
                    ("start_missing", "start missing"),
                    ("stop_missing", "stop missing"),
                    ("register", "register"),
                    ("events_missing", "events missing"),
                    ("stop_attached", "stop attached"),
                ],
                default="",
                max_length=20,
            ),
        ),
    ]
