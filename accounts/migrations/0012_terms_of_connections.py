"""For how long an operator keeps the connections of stations."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_local_lists")]

    operations = [
        migrations.AddField(
            "operator",
            "keep_connections_days",
            models.PositiveIntegerField(
                blank=True,
                help_text="Days for which connections are kept, if that is to be shorter than the system keeps them.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
            ),
        ),
    ]
