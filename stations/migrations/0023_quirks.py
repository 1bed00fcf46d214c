import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_kinds_of_people_and_audit"),
        ("stations", "0022_onboarding"),
    ]

    operations = [
        migrations.CreateModel(
            name="Quirk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(blank=True, max_length=60)),
                ("name", models.CharField(max_length=120)),
                ("vendor", models.CharField(blank=True, max_length=50)),
                ("model", models.CharField(blank=True, max_length=50)),
                ("firmware_from", models.CharField(blank=True, max_length=100)),
                ("firmware_to", models.CharField(blank=True, max_length=100)),
                ("protocol", models.CharField(blank=True, max_length=20)),
                ("adjustments", models.JSONField(default=list)),
                ("source", models.CharField(blank=True, max_length=300)),
                ("frame", models.TextField(blank=True)),
                ("active", models.BooleanField(default=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "operator",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="quirks",
                        to="accounts.operator",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(condition=models.Q(("operator", None)), fields=("code",), name="quirk_code")
                ],
            },
        ),
        migrations.CreateModel(
            name="QuirkSwitch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("active", models.BooleanField()),
                (
                    "operator",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"),
                ),
                (
                    "quirk",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="switches", to="stations.quirk"),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [models.UniqueConstraint(fields=("operator", "quirk"), name="quirkswitch_operator_quirk")],
            },
        ),
    ]
