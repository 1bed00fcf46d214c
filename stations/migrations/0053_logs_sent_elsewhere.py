"""Logs that are sent elsewhere than to us are followed, too: they have no address of ours, and any number may be under way."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("stations", "0052_numbers_of_publications_under_way")]

    operations = [
        migrations.AddField(
            "logupload",
            "location",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Where it is sent; empty: to us, where its file is.",
                max_length=512,
            ),
        ),
        migrations.AlterField(
            "logupload",
            "token_hash",
            models.CharField(blank=True, editable=False, max_length=64, null=True, unique=True),
        ),
        migrations.AddConstraint(
            "logupload",
            models.UniqueConstraint(
                fields=["station", "kind"],
                condition=Q(status__in=("requested", "uploading"), location=""),
                name="logupload_one_awaited",
            ),
        ),
        migrations.RemoveConstraint("logupload", "logupload_one_open"),
    ]
