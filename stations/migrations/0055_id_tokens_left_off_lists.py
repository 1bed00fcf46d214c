"""Tokens that stay off the list of a station, which was asked to forget their customer."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_local_lists"),
        ("stations", "0054_updates_of_any_address"),
    ]

    operations = [
        migrations.CreateModel(
            name="LeftOff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "local_list",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="stations.locallist"
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["operator", "token_id"], name="leftoff_operator_token")],
                "constraints": [models.UniqueConstraint(fields=("local_list", "token_id"), name="leftoff_list_token")],
            },
        ),
    ]
