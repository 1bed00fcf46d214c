"""Security: what stations tell of it, the certificates they hold, and those they ask for."""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import Operator, User
from stations.domain.certificates import SIGNED, CertificateType
from stations.models.command import Command
from stations.models.station import Station

TYPES = [(one.value, one.value) for one in CertificateType]


class SecurityEvent(models.Model):
    """Something at a station that bears on its security. `at` is when it happened, by the station; it may be told long after.

    A `critical` one waits for somebody to have seen it (`acknowledged_at`).
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="security_events", db_index=False)
    type = models.CharField(max_length=50)
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    tech_info = models.CharField(max_length=255, blank=True)
    critical = models.BooleanField(default=False)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["station", "type", "at", "tech_info"], name="securityevent_natural_key"),
        ]
        indexes = [
            models.Index(fields=["station", "-at", "-id"], name="securityevent_station_at"),
            models.Index(fields=["operator", "-at", "-id"], name="securityevent_operator_at"),
            models.Index(fields=["received_at"], name="securityevent_received_at"),
            models.Index(fields=["operator", "-id"], condition=Q(critical=True, acknowledged_at=None), name="securityevent_unseen"),
        ]

    def __str__(self) -> str:
        return self.type


class InstalledCertificate(models.Model):
    """A certificate at a station, as far as is known: we brought it there (`installed_at`), or it was listed (`reported_at`).

    The hashes stand as the station told them, since it is asked with them to delete it; the number is compared without leading
    zeros and case (`serial_key`). `pem` and what is read from it are empty where the certificate itself was never seen. `children`
    are the hashes of a chain. `removed_at`: it is there no more.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="certificates", db_index=False)
    type = models.CharField(max_length=30, choices=TYPES)
    hash_algorithm = models.CharField(max_length=6)
    issuer_name_hash = models.CharField(max_length=128)
    issuer_key_hash = models.CharField(max_length=128)
    serial_number = models.CharField(max_length=40)
    serial_key = models.CharField(max_length=40)
    children = models.JSONField(default=list, blank=True)
    pem = models.TextField(blank=True)
    subject = models.CharField(max_length=300, blank=True)
    issuer = models.CharField(max_length=300, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    installed_at = models.DateTimeField(null=True, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["station", "type", "hash_algorithm", "issuer_name_hash", "issuer_key_hash", "serial_key"],
                name="installedcertificate_natural_key",
            ),
        ]
        indexes = [
            models.Index(fields=["operator", "-id"], name="installedcert_operator_id"),
            models.Index(fields=["operator", "serial_key"], name="installedcert_operator_serial"),
            models.Index(fields=["operator", "not_after"], condition=Q(removed_at=None), name="installedcert_expiry"),
            models.Index(fields=["removed_at"], condition=Q(removed_at__isnull=False), name="installedcert_removed"),
        ]

    def __str__(self) -> str:
        return self.subject or f"{self.type} {self.serial_number}"


class RequestStatus(models.TextChoices):
    """How far a request is. Between RECEIVED and SENT somebody signs it; the last two are what the station made of it."""

    RECEIVED = "received", "Received"
    REJECTED = "rejected", "Rejected"
    SIGNED = "signed", "Signed"
    SENT = "sent", "Sent"
    INSTALLED = "installed", "Installed"
    REFUSED = "refused", "Refused by the station"


class CertificateRequest(models.Model):
    """A station's wish for a certificate (PKCS #10). The same again, because no certificate came, counts up one row.

    `problems` are what is wrong with it, in English; empty: nothing that can be told. `certificate` is the chain that answers it.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="certificate_requests", db_index=False)
    type = models.CharField(max_length=30, choices=[(one, one) for one in SIGNED])
    csr = models.TextField()
    digest = models.CharField(max_length=64, editable=False)
    subject = models.CharField(max_length=300, blank=True)
    common_name = models.CharField(max_length=100, blank=True)
    key = models.CharField(max_length=30, blank=True, help_text="Its kind and strength, such as EC 256.")
    problems = models.JSONField(default=list, blank=True)
    status = models.CharField(max_length=10, choices=RequestStatus.choices, default=RequestStatus.RECEIVED)
    detail = models.CharField(max_length=300, blank=True)
    certificate = models.TextField(blank=True)
    command = models.ForeignKey(Command, models.SET_NULL, null=True, blank=True, related_name="+")
    count = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField()
    last_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["station", "digest"], name="certificaterequest_natural_key")]
        indexes = [
            models.Index(fields=["station", "-id"], name="certrequest_station_id"),
            models.Index(fields=["operator", "-id"], name="certrequest_operator_id"),
            models.Index(fields=["id"], condition=Q(status="received"), name="certrequest_received"),
            models.Index(fields=["last_at"], name="certrequest_last_at"),
        ]

    def __str__(self) -> str:
        return self.subject or f"request {self.pk}"
