import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_drivers"),
    ]

    operations = [
        migrations.AddField(
            model_name="operator",
            name="keep_logs_days",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Days for which chargers' logs are kept, if that is to be shorter than the system keeps them.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
            ),
        ),
    ]
