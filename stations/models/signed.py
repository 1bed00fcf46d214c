"""What meters signed."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django_scopes import ScopedManager

from accounts.models import Operator
from stations.models.station import Station
from stations.models.transaction import Transaction


class SignedReading(models.Model):
    """A reading that the meter of an EVSE signed, as the station sent it. Never changed, and kept as long as its transaction.

    `data` is what the signature is about, to the byte: text of OCMF or another format, plain or encoded. The same data of the same
    transaction, or else EVSE, is one reading, however often it comes; `digest` is its SHA-256. `public_key`: as the station sent it
    along, if it did, which proves nothing.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)  # signedreading_operator_id
    station = models.ForeignKey(Station, models.CASCADE, related_name="signed_readings", db_index=False)
    transaction = models.ForeignKey(
        Transaction, models.CASCADE, null=True, blank=True, related_name="signed_readings", db_index=False
    )
    evse_number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    context = models.CharField(max_length=20)
    encoding = models.CharField(max_length=50, blank=True)
    signing_method = models.CharField(max_length=50, blank=True)
    data = models.TextField()
    public_key = models.TextField(blank=True)
    digest = models.CharField(max_length=64, editable=False)
    received_at = models.DateTimeField()
    # What it belongs to, as of a sample: the transaction, or (negative) the EVSE alone.
    owner = models.GeneratedField(
        expression=Coalesce("transaction_id", -F("evse_number")), output_field=models.BigIntegerField(), db_persist=True
    )

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.UniqueConstraint(fields=["station", "owner", "digest"], name="signedreading_natural_key")]
        indexes = [
            models.Index(fields=["operator", "-id"], name="signedreading_operator_id"),
            models.Index(fields=["transaction", "at"], condition=Q(transaction__isnull=False), name="signedreading_transaction"),
            models.Index(fields=["received_at"], condition=Q(transaction__isnull=True), name="signedreading_of_nobody"),
        ]

    def __str__(self) -> str:
        return f"{self.context} {self.at.isoformat()}"
