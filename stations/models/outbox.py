"""Work that follows from a batch, written in its transaction."""

from django.db import models
from django_scopes import ScopedManager

from accounts.models import Operator


class OutboxEntry(models.Model):
    """Something happened to an object, and one subscriber has yet to act on it. Deleted when it has.

    What may happen to the same object again before anybody acted on it has a number of its own as `object_id`; `facts` then say
    what it was.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    topic = models.CharField(max_length=40)
    subscriber = models.CharField(max_length=40)
    object_id = models.BigIntegerField()
    facts = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["topic", "subscriber", "object_id"], name="outbox_topic_subscriber_object")]
        indexes = [
            models.Index(fields=["subscriber", "due_at"], name="outbox_subscriber_due"),
            models.Index(
                fields=["operator", "subscriber", "-id"], condition=models.Q(attempts__gt=0), name="outbox_operator_failing"
            ),
        ]


class Subscription(models.Model):
    """What happens of this topic in the operator's network is written into the outbox for this subscriber."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    topic = models.CharField(max_length=40)
    subscriber = models.CharField(max_length=40)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["operator", "topic", "subscriber"], name="subscription_operator_topic")]
