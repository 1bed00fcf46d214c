import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0007_rebillings"),
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="PriceSeries",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("currency", models.CharField(default="EUR", max_length=3)),
                ("unit", models.CharField(choices=[("MWh", "per MWh"), ("kWh", "per kWh")], default="MWh", max_length=3)),
                (
                    "resolution_minutes",
                    models.PositiveSmallIntegerField(
                        choices=[(15, "a quarter of an hour"), (30, "half an hour"), (60, "an hour")], default=60
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [models.UniqueConstraint(fields=("operator", "name"), name="priceseries_operator_name")],
            },
        ),
        migrations.CreateModel(
            name="PricePoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start", models.DateTimeField()),
                ("price", models.DecimalField(decimal_places=5, max_digits=12)),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
                (
                    "series",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="points", to="billing.priceseries"
                    ),
                ),
            ],
            options={
                "ordering": ["series", "start"],
                "constraints": [models.UniqueConstraint(fields=("series", "start"), name="pricepoint_series_start")],
            },
        ),
    ]
