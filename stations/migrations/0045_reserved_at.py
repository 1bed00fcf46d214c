"""Since when the plug was kept for a session: what a reservation costs begins then."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0044_failing_outbox_entries")]

    operations = [
        migrations.AddField(
            "transaction",
            "reserved_at",
            models.DateTimeField(
                blank=True, help_text="Since when the plug was kept for it; null: it was not reserved.", null=True
            ),
        ),
    ]
