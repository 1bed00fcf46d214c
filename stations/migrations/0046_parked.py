"""What chargers told of parked vehicles, so that it does not matter in which order it came."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0045_reserved_at")]

    operations = [
        migrations.AddField("transaction", "parked", models.JSONField(blank=True, editable=False, null=True)),
    ]
