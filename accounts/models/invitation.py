"""Invitations to work for an operator."""

from django.db import models
from django_scopes import ScopedManager

from accounts.models.operator import Operator
from accounts.models.user import Role, User


class Invitation(models.Model):
    """Somebody who is asked to join an operator's staff. Of the link only its SHA-256 is kept; who comes in by it uses it up."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=20, choices=Role.choices)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["email"]
        constraints = [models.UniqueConstraint(fields=["operator", "email"], name="invitation_operator_email")]

    def __str__(self) -> str:
        return self.email
