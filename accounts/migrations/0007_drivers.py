"""Drivers: the code of the network they sign up in, their id tags, and why one may not charge."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils.text import slugify


def name_codes(apps, schema_editor):
    Operator = apps.get_model("accounts", "Operator")
    taken = set(Operator.objects.exclude(code=None).values_list("code", flat=True))
    for operator in Operator.objects.filter(code=None).order_by("pk"):
        code = slugify(operator.name)[:32] or "network"
        operator.code = code if code not in taken else f"{code}-{operator.pk}"
        taken.add(operator.code)
        operator.save(update_fields=["code"])


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_invitations_and_ended_sessions")]

    operations = [
        migrations.AddField(
            model_name="operator",
            name="code",
            field=models.SlugField(blank=True, help_text="By which drivers' apps name it.", max_length=40, null=True, unique=True),
        ),
        migrations.AddField(
            model_name="operator",
            name="open_to_drivers",
            field=models.BooleanField(
                db_default=True, default=True, help_text="Whether drivers may sign up by themselves and charge."
            ),
        ),
        migrations.RunPython(name_codes, migrations.RunPython.noop),
        migrations.AddField(
            model_name="user",
            name="blocked_because",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Why a driver may not charge; empty: they may.",
                max_length=200,
            ),
        ),
        migrations.AddIndex(
            "user",
            models.Index(condition=models.Q(("kind", "driver")), fields=["operator", "-id"], name="user_drivers_newest"),
        ),
        migrations.AddField(
            model_name="idtoken",
            name="driver",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="id_tokens",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="idtoken",
            name="driver_since",
            field=models.DateTimeField(
                blank=True,
                help_text="When a card was given to its driver: what was charged with it before is somebody else's.",
                null=True,
            ),
        ),
    ]
