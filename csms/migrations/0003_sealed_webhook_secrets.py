"""The secrets of webhooks do not lie in the table as they are."""

from collections.abc import Callable
from typing import Any

from django.db import migrations, models

import csms.sealing
from csms.sealing import seal, unseal

PURPOSE = "webhook secret"


def sealed(apps: Any, schema_editor: Any) -> None:
    _rewrite(apps, lambda text: seal(text, purpose=PURPOSE))


def opened(apps: Any, schema_editor: Any) -> None:
    _rewrite(apps, lambda text: unseal(text, purpose=PURPOSE) or "")


def _rewrite(apps: Any, change: Callable[[str], str]) -> None:
    """An operator has twenty at most."""
    for webhook in apps.get_model("csms", "Webhook")._base_manager.all():
        webhook.secret, webhook.old_secret = (text and change(text) for text in (webhook.secret, webhook.old_secret))
        webhook.save(update_fields=["secret", "old_secret"])


class Migration(migrations.Migration):
    dependencies = [("csms", "0002_webhooks")]

    operations = [
        migrations.AlterField("webhook", "secret", models.CharField(max_length=300)),
        migrations.AlterField("webhook", "old_secret", models.CharField(blank=True, max_length=300)),
        migrations.RunPython(sealed, opened),
        migrations.AlterField("webhook", "secret", csms.sealing.SealedField(max_length=300, purpose=PURPOSE)),
        migrations.AlterField("webhook", "old_secret", csms.sealing.SealedField(blank=True, max_length=300, purpose=PURPOSE)),
    ]
