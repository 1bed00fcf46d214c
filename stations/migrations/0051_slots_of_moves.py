"""By which slot a station came back that was led to another network profile."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0050_refusals_by_age")]

    operations = [
        migrations.AddField(
            "networkmove",
            "came_by",
            models.IntegerField(blank=True, help_text="The slot by which it came back; null: it did not, or not told.", null=True),
        ),
    ]
