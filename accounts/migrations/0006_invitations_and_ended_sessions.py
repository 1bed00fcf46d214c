import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ROLES = [
    ("owner", "Owner"),
    ("manager", "Manager"),
    ("technician", "Technician"),
    ("finance", "Finance"),
    ("support", "Support"),
    ("viewer", "Viewer"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_kinds_of_people_and_audit"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="sessions",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="Part of what every login of theirs is signed with: another text ends them all.",
                max_length=32,
            ),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(condition=models.Q(("kind", "staff")), fields=["operator", "email"], name="user_staff_of_operator"),
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.EmailField(max_length=254)),
                ("role", models.CharField(choices=ROLES, max_length=20)),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("expires_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "invited_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="invitations", to="accounts.operator"
                    ),
                ),
            ],
            options={
                "ordering": ["email"],
                "constraints": [models.UniqueConstraint(fields=("operator", "email"), name="invitation_operator_email")],
            },
        ),
    ]
