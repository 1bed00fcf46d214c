"""The sum of the phases' currents, by which tariffs go (OCPI 2.2.1 min_current, max_current), beside that of the most loaded one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0057_where_sessions_began")]

    operations = [
        migrations.AddField(
            "metersample", "current_sum_a", models.DecimalField(blank=True, decimal_places=3, max_digits=15, null=True)
        ),
    ]
