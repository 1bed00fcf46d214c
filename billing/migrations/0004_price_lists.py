"""Price lists: by their version processes know whether the prices they have read are still those that apply."""

import django.db.models.deletion
from django.db import migrations, models

from billing import pricelists

WATCHED = ("billing_tariff", "billing_tariffversion", "billing_tariffassignment")


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0003_tariff_versions"),
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="PriceList",
            fields=[
                (
                    "operator",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="accounts.operator",
                    ),
                ),
                ("version", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL(pricelists.FUNCTION, pricelists.NO_FUNCTION),
        *(migrations.RunSQL(pricelists.watch(table), pricelists.unwatch(table)) for table in WATCHED),
    ]
