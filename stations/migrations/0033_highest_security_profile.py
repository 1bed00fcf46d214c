"""The highest security profile by which a station came: it does not come back by a lower one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0032_charging_profiles")]

    operations = [
        migrations.AddField(
            model_name="station",
            name="highest_profile",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="The highest security profile by which it came, where that is more than is demanded.",
            ),
        ),
    ]
