"""Which of a station's displays a message is for: the instance of its component, and the connector."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0047_signatures_of_messages")]

    operations = [
        migrations.AddField(
            "displaymessage", "component_instance", models.CharField(blank=True, db_default="", default="", max_length=50)
        ),
        migrations.AddField("displaymessage", "connector_number", models.PositiveSmallIntegerField(db_default=0, default=0)),
    ]
