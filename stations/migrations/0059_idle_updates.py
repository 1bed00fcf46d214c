"""Updates that end because their station says that it does nothing: one more reason."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stations", "0058_currents_added_up"),
    ]

    operations = [
        migrations.AlterField(
            model_name="firmwareupdate",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("download", "Download failed"),
                    ("signature", "Signature refused"),
                    ("install", "Installation failed"),
                    ("version", "Came back with another version"),
                    ("timeout", "Timed out"),
                    ("idle", "Nothing is under way"),
                    ("rejected", "Rejected"),
                    ("cancelled", "Cancelled"),
                ],
                max_length=12,
            ),
        ),
    ]
