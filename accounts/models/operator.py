"""The tenant."""

from django.db import models


class Operator(models.Model):
    """A company that runs charging stations. Everything else in the system belongs to exactly one operator."""

    name = models.CharField(max_length=120, unique=True)
    concurrent_transactions = models.BooleanField(
        default=True,
        help_text="Whether one id tag may charge at two places at once; if not, the second start is answered ConcurrentTx.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
