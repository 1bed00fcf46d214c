"""What groups of id tokens may do, where that is less than everything everywhere."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_local_lists"), ("stations", "0038_signed_readings")]

    operations = [
        migrations.CreateModel(
            name="GroupTerms",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "priority",
                    models.SmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(-9),
                            django.core.validators.MaxValueValidator(9),
                        ],
                    ),
                ),
                (
                    "only_stops",
                    models.BooleanField(default=False, help_text="Its tokens stop the sessions of others, and start none."),
                ),
                ("places", models.JSONField(blank=True, null=True)),
                (
                    "group",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="terms", to="accounts.idtokengroup"
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(priority__isnull=True) | Q(priority__range=(-9, 9)), name="groupterms_priority"
                    )
                ],
            },
        ),
    ]
