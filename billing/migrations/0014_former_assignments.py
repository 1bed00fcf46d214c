"""What applied until when: sessions keep what was assigned when they started."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_local_lists"),
        ("billing", "0013_retired_tariffs_and_receipt_archives"),
        ("stations", "0045_reserved_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="tariff",
            name="default_since",
            field=models.DateTimeField(blank=True, editable=False, help_text="Empty: it is not, or has always been.", null=True),
        ),
        migrations.AlterField(
            "tariffassignment", "created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)
        ),
        migrations.CreateModel(
            name="FormerAssignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "audience",
                    models.CharField(
                        choices=[
                            ("", "Everybody"),
                            ("ad_hoc", "Who pays without a contract"),
                            ("drivers", "Registered drivers"),
                            ("group", "A group of id tags"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("was_default", models.BooleanField(default=False)),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                (
                    "evse",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="stations.evse"),
                ),
                (
                    "group",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.idtokengroup"
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="stations.site"),
                ),
                (
                    "station",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="stations.station"
                    ),
                ),
                ("tariff", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="billing.tariff")),
            ],
            options={
                "ordering": ["id"],
                "indexes": [models.Index(fields=["operator", "ended_at"], name="formerassignment_op_ended")],
            },
        ),
    ]
