"""Refusals of identities that nobody knows are bounded: a job finds them by what the door noted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0048_which_display")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", migrations.RunSQL.noop),
        migrations.AddField(
            "refusal",
            "stranger",
            models.BooleanField(null=True, editable=False, help_text="Whether nobody knew the identity when it came last."),
        ),
    ]
