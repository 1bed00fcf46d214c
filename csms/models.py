"""What the system writes down about itself."""

from django.db import models

from csms.forwarding.models import Forward, ForwardLink, ForwardStation
from csms.webhooks.models import Webhook, WebhookDelivery, WebhookEvent

__all__ = ["Forward", "ForwardLink", "ForwardStation", "Job", "Webhook", "WebhookDelivery", "WebhookEvent"]


class Job(models.Model):
    """A kind of Celery job, and how it went: one row each, so the table never grows.

    `sent_at` is the beat's sign of life, `finished_at` the workers' (the last run that went well).
    """

    name = models.CharField(max_length=100, primary_key=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True, db_default="", help_text="Of the last run that failed.")
    runs = models.BigIntegerField(default=0, db_default=0)
    failures = models.BigIntegerField(default=0, db_default=0)
    busy_s = models.FloatField(default=0, db_default=0, help_text="Seconds that all runs took together.")

    def __str__(self) -> str:
        return self.name
