"""What stations tell at their boot and of a transaction's vehicle: new columns only, rows are not written anew."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0045_reserved_at")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField(
            "station",
            "boot_reason",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Why it started last (OCPP 2.0.1 BootReasonEnumType).",
                max_length=20,
            ),
        ),
        migrations.AddField(
            "station",
            "box_serial_number",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The second one, of OCPP 1.6 (chargeBoxSerialNumber).",
                max_length=50,
            ),
        ),
        migrations.AddField(
            "transaction",
            "phases_used",
            models.IntegerField(blank=True, help_text="How many phases the vehicle charges by (2.x).", null=True),
        ),
        migrations.AddField(
            "transaction",
            "cable_max_current_a",
            models.IntegerField(blank=True, help_text="What its cable carries, in A (2.x).", null=True),
        ),
        migrations.AddField(
            "transaction",
            "time_spent_charging_s",
            models.IntegerField(
                blank=True, help_text="For how long energy flowed, as the station counts, in seconds (2.x).", null=True
            ),
        ),
    ]
