"""What chargers told of parked vehicles, so that it does not matter in which order it came."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0055_id_tokens_left_off_lists")]

    operations = [
        migrations.AddField("transaction", "parked", models.JSONField(blank=True, editable=False, null=True)),
    ]
