"""What people and programs changed."""

from django.db import models
from django_scopes import ScopedManager

from accounts.models.operator import Operator
from accounts.models.user import User


class AuditEntry(models.Model):
    """One change: who, what, to which thing, before and after. Never altered; what it names may be gone.

    `before` and `after` hold only the fields that differ, secrets as "***". `object_type` is the thing's model in lower case.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="audit_entries")
    at = models.DateTimeField()
    actor = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    actor_label = models.CharField(max_length=254, help_text="Their e-mail address, or which part of the system it was.")
    via = models.CharField(max_length=20, help_text="page, api, shell or job.")
    action = models.CharField(max_length=60, help_text='Such as "id_token.changed".')
    object_type = models.CharField(max_length=40, blank=True)
    object_id = models.CharField(max_length=40, blank=True)
    object_label = models.CharField(max_length=255, blank=True)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    note = models.CharField(max_length=300, blank=True, help_text="The reason that was given.")

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["operator", "-id"], name="audit_newest"),
            models.Index(fields=["operator", "object_type", "object_id", "-id"], name="audit_of_object"),
            models.Index(fields=["operator", "actor", "-id"], name="audit_of_actor"),
            models.Index(fields=["operator", "action", "-id"], name="audit_of_action"),
            models.Index(fields=["operator", "at", "id"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_label}"
