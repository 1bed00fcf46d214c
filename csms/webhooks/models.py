"""Webhooks, what they are told, and how each telling went."""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import Operator
from csms.sealing import SealedField


class DeliveryStatus(models.TextChoices):
    """Waiting for its first attempt, failed and to be tried again, delivered, or given up."""

    WAITING = "waiting", "Waiting"
    FAILED = "failed", "Failed"
    DELIVERED = "delivered", "Delivered"
    GIVEN_UP = "given_up", "Given up"


OPEN = (DeliveryStatus.WAITING, DeliveryStatus.FAILED)
UNDELIVERED = (DeliveryStatus.FAILED, DeliveryStatus.GIVEN_UP)


class Webhook(models.Model):
    """An address that wants to be told of some kinds of events.

    The secret signs what is sent, so it can be read, but only with the keys that lie outside the database; it is shown once.
    After a change the old one signs too until `old_secret_until`. `failures` counts attempts that failed one after the other,
    `failing_since` is when the first of them was, and before `rests_until` nothing is sent. `sequence` is the number of the
    newest delivery.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=120, blank=True)
    events = models.JSONField(default=list)
    secret = SealedField(max_length=300, purpose="webhook secret")
    old_secret = SealedField(max_length=300, blank=True, purpose="webhook secret")
    old_secret_until = models.DateTimeField(null=True, blank=True)
    active = models.BooleanField(default=True)
    disabled_because = models.CharField(max_length=300, blank=True, help_text="Why the system switched it off.")
    sequence = models.BigIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    rests_until = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True, help_text="The last time that anything was.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["operator", "id"], name="webhook_operator_id")]

    def __str__(self) -> str:
        return self.shown_url

    @property
    def shown_url(self) -> str:
        """Without what may be secret in it."""
        address, asks, _query = self.url.partition("?")
        return f"{address}?…" if asks else address


class WebhookEvent(models.Model):
    """Something that happened, as it is told: `data` is what the REST API says of the thing."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    type = models.CharField(max_length=40)
    data = models.JSONField()
    created_at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["created_at"], name="webhookevent_created")]

    @property
    def name(self) -> str:
        """Its id outside."""
        return f"evt_{self.pk}"


class WebhookDelivery(models.Model):
    """One event for one webhook, and how its last attempt went. `sequence` counts the deliveries of the webhook without gaps."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries", db_index=False)
    event = models.ForeignKey(WebhookEvent, models.CASCADE, related_name="deliveries")
    sequence = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=DeliveryStatus.choices, default=DeliveryStatus.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    attempted_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    response_code = models.PositiveSmallIntegerField(null=True, blank=True)
    response_body = models.TextField(blank=True, help_text="The first kilobyte.")
    response_ms = models.PositiveIntegerField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["webhook", "-id"], name="webhookdelivery_webhook"),
            models.Index(fields=["webhook", "status", "-id"], condition=~Q(status="delivered"), name="webhookdelivery_status"),
            models.Index(fields=["operator", "-id"], name="webhookdelivery_operator"),
            models.Index(fields=["webhook", "due_at", "id"], condition=Q(status__in=OPEN), name="webhookdelivery_due"),
        ]
