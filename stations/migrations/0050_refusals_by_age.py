"""Refusals that are over their term, and those of strangers, are found without looking at the others."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stations", "0049_refusals_of_strangers")]

    operations = [
        AddIndexConcurrently("refusal", models.Index(fields=["last_at"], name="refusal_last")),
        AddIndexConcurrently(
            "refusal",
            models.Index(fields=["-last_at"], condition=models.Q(stranger=True), name="refusal_strangers"),
        ),
    ]
