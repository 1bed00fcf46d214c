"""The keys of meters, and what the check of what they signed came to."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from accounts.models import Operator, User
from billing.signedmeter import Verdict
from stations.models import Evse, SignedReading, Station, Transaction


class KeySource(models.TextChoices):
    PERSON = "person", _("Registered by a person")
    STATION = "station", _("The charger itself sent it")


class MeterKey(models.Model):
    """A public key by which a station's meter signs. `evse` None: of every meter there; `meter_serial` empty: whatever its serial.

    `trusted`: signatures are checked with it. The first that a station sends with a right signature is trusted while no person has
    registered one for that EVSE; others that it sends are kept, untrusted, until a person decides. `public_key` is its DER in hex,
    `fingerprint` the SHA-256 of that. One that was `retired_at` still holds for sessions that began before.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)  # meterkey_operator_id
    station = models.ForeignKey(Station, models.CASCADE, related_name="meter_keys", db_index=False)  # meterkey_natural_key
    evse = models.ForeignKey(Evse, models.CASCADE, null=True, blank=True, related_name="+")
    meter_serial = models.CharField(max_length=50, blank=True)
    public_key = models.TextField()
    fingerprint = models.CharField(max_length=64)
    curve = models.CharField(max_length=30)
    source = models.CharField(max_length=10, choices=KeySource.choices)
    trusted = models.BooleanField(default=True)
    note = models.CharField(max_length=200, blank=True)
    registered_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["station", "evse", "meter_serial", "fingerprint"], nulls_distinct=False, name="meterkey_natural_key"
            )
        ]
        indexes = [models.Index(fields=["operator", "-id"], name="meterkey_operator_id")]

    def __str__(self) -> str:
        return self.fingerprint[:16]


class SignedCheck(models.Model):
    """What the check of a signed reading came to, with which key. Made anew when a key or the transaction changes.

    `reason` says why, in English; empty if it is verified. `readings` are those in it: [{"at", "clock", "reason", "value", "unit",
    "obis", "errors", "state"}].
    """

    reading = models.OneToOneField(SignedReading, models.CASCADE, primary_key=True, related_name="check_result")
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    verdict = models.CharField(max_length=15, choices=[(one.value, one.value) for one in Verdict])
    reason = models.CharField(max_length=300, blank=True)
    key = models.ForeignKey(MeterKey, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    sent_key = models.CharField(max_length=64, blank=True, help_text="The fingerprint of the key that came with it.")
    algorithm = models.CharField(max_length=60, blank=True)
    pagination = models.CharField(max_length=30, blank=True)
    meter_serial = models.CharField(max_length=50, blank=True)
    id_tag = models.CharField(max_length=255, blank=True)
    readings = models.JSONField(default=list, blank=True)
    checked_at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    def __str__(self) -> str:
        return self.verdict


#: The verdicts on a session: the worst of its readings, or that its begin or end is not among them.
INCOMPLETE = "incomplete"
SESSION_VERDICTS = [*((one.value, one.value) for one in Verdict), (INCOMPLETE, INCOMPLETE)]


class SignedSession(models.Model):
    """What the signed readings of a transaction come to. `energy_wh`: what they say it took, if begin and end are among them.

    `differences`: [{"code", "detail"}], where they say something else than the transaction.
    """

    transaction = models.OneToOneField(Transaction, models.CASCADE, primary_key=True, related_name="signed")
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    verdict = models.CharField(max_length=15, choices=SESSION_VERDICTS)
    readings = models.PositiveIntegerField()
    energy_wh = models.DecimalField(max_digits=15, decimal_places=3, null=True, blank=True)
    differences = models.JSONField(default=list, blank=True)
    checked_at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    def __str__(self) -> str:
        return self.verdict
