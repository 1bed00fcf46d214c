"""Tokens that have expired since are found by an index: lists of stations leave them out."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_former_id_tags"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="idtoken",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False)),
                fields=["operator", "expires_at"],
                name="idtoken_operator_expires",
            ),
        ),
    ]
