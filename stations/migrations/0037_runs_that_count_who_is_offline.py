"""Whether the stop rule of a command run counts those that were left out because they stayed offline."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0036_certificates_let_go")]

    operations = [
        migrations.AddField("commandrun", "count_offline", models.BooleanField(db_default=False, default=False)),
    ]
