"""Certificates that are at no station any more, and old requests for them, found by their time."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("stations", "0035_moves_that_went_astray")]

    operations = [
        migrations.AddIndex(
            "installedcertificate",
            models.Index(fields=["removed_at"], condition=Q(removed_at__isnull=False), name="installedcert_removed"),
        ),
        migrations.AddIndex("certificaterequest", models.Index(fields=["last_at"], name="certrequest_last_at")),
    ]
