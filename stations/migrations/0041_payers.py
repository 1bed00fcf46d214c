"""Who charges, as far as prices ask: noted when it is first known, so that what applied at the start stays applied."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0040_wishes_for_availability")]

    operations = [
        migrations.AddField(
            model_name="transaction",
            name="payer",
            field=models.CharField(
                blank=True,
                choices=[("", "not noted"), ("ad_hoc", "ad hoc"), ("tag", "tag"), ("driver", "driver")],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField(model_name="transaction", name="payer_group", field=models.BigIntegerField(blank=True, null=True)),
    ]
