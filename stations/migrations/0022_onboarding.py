"""What a station that was turned away had presented, and changes of passwords over the air."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_kinds_of_people_and_audit"),
        ("stations", "0021_repairs_and_finding_days"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="refusal",
            name="secure",
            field=models.BooleanField(blank=True, help_text="Whether it came by TLS.", null=True),
        ),
        migrations.AddField(
            model_name="refusal",
            name="sent",
            field=models.CharField(
                blank=True,
                choices=[
                    ("nothing", "Nothing"),
                    ("good", "One that may be a station's"),
                    ("short", "Too short"),
                    ("long", "Too long"),
                    ("odd", "Not in printable characters"),
                ],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="refusal",
            name="sent_hash",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=200),
        ),
        migrations.AddIndex(
            model_name="refusal",
            index=models.Index(condition=models.Q(("sent_hash", ""), _negated=True), fields=["last_at"], name="refusal_sent_hash"),
        ),
        migrations.CreateModel(
            name="PasswordChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("new_hash", models.CharField(editable=False, max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("unknown", "Unknown"),
                            ("at_restart", "At its restart"),
                            ("accepted", "Accepted"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                            ("not_taken", "Not taken"),
                            ("unsent", "Not sent"),
                            ("replaced", "Replaced"),
                        ],
                        default="waiting",
                        max_length=12,
                    ),
                ),
                ("detail", models.CharField(blank=True, help_text="What the station said.", max_length=300)),
                ("created_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "command",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="stations.command",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.operator"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "station",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="password_changes",
                        to="stations.station",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["station", "-id"], name="passwordchange_station_id")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at__isnull", True)),
                        fields=("station",),
                        name="passwordchange_station_open",
                    )
                ],
            },
        ),
    ]
