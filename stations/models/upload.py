"""Logs that stations send us."""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import Operator, User
from stations.models.command import Command
from stations.models.station import Station


class LogKind(models.TextChoices):
    DIAGNOSTICS = "diagnostics", "Diagnostics"
    SECURITY = "security", "Security log"


class LogStatus(models.TextChoices):
    """Asked for; on its way; here; not coming, by what the station or we found; not come in time."""

    REQUESTED = "requested", "Requested"
    UPLOADING = "uploading", "Uploading"
    UPLOADED = "uploaded", "Uploaded"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Expired"


LOG_OPEN = (LogStatus.REQUESTED, LogStatus.UPLOADING)


class LogUpload(models.Model):
    """One log asked of one station, and its file once that has come: the file is the proof, whatever the station says.

    `location` is where it is sent instead of to us, without its secrets: then there is no file, and the station's word is believed.
    `token_hash` is of its one-time address, which works until `expires_at` or until the file is here; `due_at` is when it is
    given up unless something happens. `path` is where the file lies (empty: nowhere), `filename` what the station calls it.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="logs", db_index=False)
    command = models.ForeignKey(Command, models.SET_NULL, null=True, blank=True, related_name="+")
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=12, choices=LogKind.choices)
    since = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=LogStatus.choices, default=LogStatus.REQUESTED)
    reason = models.CharField(max_length=300, blank=True, help_text="Why it failed, or what is known meanwhile.")
    location = models.CharField(
        max_length=512, blank=True, default="", db_default="", help_text="Where it is sent; empty: to us, where its file is."
    )
    token_hash = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)
    expires_at = models.DateTimeField()
    due_at = models.DateTimeField()
    filename = models.CharField(max_length=255, blank=True)
    content_type = models.CharField(max_length=100, blank=True)
    size = models.BigIntegerField(null=True, blank=True, help_text="Bytes that have come.")
    sha256 = models.CharField(max_length=64, blank=True)
    path = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["station", "kind"], condition=Q(status__in=LOG_OPEN, location=""), name="logupload_one_awaited"
            ),
        ]
        indexes = [
            models.Index(fields=["station", "-id"], name="logupload_station_id"),
            models.Index(fields=["operator", "-id"], name="logupload_operator_id"),
            models.Index(fields=["operator", "created_at"], name="logupload_operator_created"),
            models.Index(fields=["due_at"], condition=Q(status__in=LOG_OPEN), name="logupload_open_due"),
        ]

    def __str__(self) -> str:
        return self.filename or f"{self.kind} log {self.pk}"
