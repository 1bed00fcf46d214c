"""What people decided about sessions that could not be trusted."""

from django.db import models
from django_scopes import ScopedManager

from accounts.models import Operator, User
from stations.models.transaction import Transaction


class Repair(models.Model):
    """A session was put right by a person. Never changed, but for `undone_at`.

    `fix` and `params` are what was asked; `before` and `after` the columns that it changed, by name, as text JSON can hold.
    `orphan`: the stop that was attached; `moved`: the samples that went from it to the session.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)  # repair_operator_id
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="repairs")
    orphan = models.ForeignKey(Transaction, models.CASCADE, null=True, blank=True, related_name="+")
    fix = models.CharField(max_length=20)
    params = models.JSONField(default=dict)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    moved = models.JSONField(default=list)
    reason = models.CharField(max_length=200)
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    #: Whether a fix that is asked for once more is this one (in memory only).
    repeated = False

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["operator", "-id"], name="repair_operator_id")]

    def __str__(self) -> str:
        return f"{self.fix} {self.transaction_id}"
