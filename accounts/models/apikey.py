"""Keys with which programs use the REST API."""

from django.db import models

from accounts.models.operator import Operator
from accounts.models.user import User


class ApiKey(models.Model):
    """A key that acts for a user. Only its prefix (to recognise it) and its SHA-256 are kept."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="api_keys")
    user = models.ForeignKey(User, models.CASCADE, related_name="api_keys")
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list, blank=True, help_text='Such as ["read"]; empty means all the user may do.')
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.prefix}…"
