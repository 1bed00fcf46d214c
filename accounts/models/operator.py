"""The tenant."""

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models


def term(what: str) -> "models.PositiveIntegerField[Any, Any]":
    return models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=f"Days for which {what} are kept, if that is to be shorter than the system keeps them.",
    )


class Operator(models.Model):
    """A company that runs charging stations. Everything else in the system belongs to exactly one operator."""

    name = models.CharField(max_length=120, unique=True)
    code = models.SlugField(max_length=40, unique=True, null=True, blank=True, help_text="By which drivers' apps name it.")
    open_to_drivers = models.BooleanField(
        default=True, db_default=True, help_text="Whether drivers may sign up by themselves and charge."
    )
    concurrent_transactions = models.BooleanField(
        default=True,
        help_text="Whether one id tag may charge at two places at once; if not, the second start is answered ConcurrentTx.",
    )
    keep_messages_days = term("OCPP messages")
    keep_samples_days = term("meter samples")
    keep_status_days = term("status changes")
    keep_connections_days = term("connections")
    keep_logs_days = term("chargers' logs")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
