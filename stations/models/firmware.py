"""Firmware: the images an operator keeps, and each attempt to bring one onto a station."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django_scopes import ScopedManager

from accounts.models import Operator, User
from stations.models.command import Command
from stations.models.station import Station


class UpdateStatus(models.TextChoices):
    """How far an update is. The steps between SENT and DONE may be left out by a station, and none comes twice."""

    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent"
    DOWNLOADING = "downloading", "Downloading"
    DOWNLOADED = "downloaded", "Downloaded"
    VERIFIED = "verified", "Verified"
    INSTALLING = "installing", "Installing"
    REBOOTING = "rebooting", "Rebooting"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class UpdateFailure(models.TextChoices):
    """Why an update failed. TIMEOUT: the station fell silent at a step; IDLE: it says that it does nothing; VERSION: it came
    back with another version."""

    DOWNLOAD = "download", "Download failed"
    SIGNATURE = "signature", "Signature refused"
    INSTALL = "install", "Installation failed"
    VERSION = "version", "Came back with another version"
    TIMEOUT = "timeout", "Timed out"
    IDLE = "idle", "Nothing is under way"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"


class Firmware(models.Model):
    """An image for the stations of a vendor. `model` empty: for all of them. `version` is what they tell when they have it.

    `path` is where it stands below CSMS_FILES_DIR, in a name of ours; `name` what the file is called for others. `signature`
    (base64) and `signing_certificate` (PEM) are the vendor's. A withdrawn image stays for its history, and is offered no more.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    vendor = models.CharField(max_length=50)
    model = models.CharField(max_length=50, blank=True)
    version = models.CharField(max_length=100)
    name = models.CharField(max_length=100)
    path = models.CharField(max_length=200, editable=False)
    size = models.BigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64)
    md5 = models.CharField(max_length=32)
    signature = models.CharField(max_length=800, blank=True)
    signing_certificate = models.CharField(max_length=5500, blank=True)
    notes = models.CharField(max_length=2000, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                *("operator", Upper("vendor"), Upper("model"), Upper("version")),
                condition=Q(withdrawn_at__isnull=True),
                name="firmware_natural_key",
            )
        ]
        indexes = [models.Index(fields=["operator", "-id"], name="firmware_operator_id")]

    def __str__(self) -> str:
        return " ".join(part for part in (self.vendor, self.model, self.version) if part)

    @property
    def signed(self) -> bool:
        return bool(self.signature and self.signing_certificate)


class FirmwareUpdate(models.Model):
    """One attempt to bring an image onto one station. Open until `finished_at`; a station has one open update at most.

    `firmware` empty: what stands at `location`, an address that is not the library's, so that nobody knows its version.
    `request_id` is the number its status messages name (not all do); `token_hash` that of the one-time address, good until
    `expires_at` or the end; `due_at` is when the step must have been followed by another. `steps` are [time, status, detail].
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    station = models.ForeignKey(Station, models.CASCADE, related_name="firmware_updates", db_index=False)
    firmware = models.ForeignKey(Firmware, models.RESTRICT, null=True, blank=True, related_name="updates")
    location = models.CharField(max_length=512, blank=True, default="", db_default="")
    command = models.ForeignKey(Command, models.SET_NULL, null=True, blank=True, related_name="+")
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    attempt = models.PositiveIntegerField(help_text="Counted from 1 for this station and image; else 1.")
    request_id = models.IntegerField()
    token_hash = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)
    expires_at = models.DateTimeField()
    retrieve_at = models.DateTimeField(null=True, blank=True)
    install_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=12, choices=UpdateStatus.choices, default=UpdateStatus.WAITING)
    status_at = models.DateTimeField()
    due_at = models.DateTimeField()
    reason = models.CharField(max_length=12, choices=UpdateFailure.choices, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    signed = models.BooleanField(default=False, help_text="Whether the station took it with its signature.")
    bytes_served = models.BigIntegerField(default=0)
    firmware_before = models.CharField(max_length=100, blank=True)
    steps = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["station", "firmware", "attempt"], name="firmwareupdate_attempt"),
            models.UniqueConstraint(fields=["station"], condition=Q(finished_at__isnull=True), name="firmwareupdate_station_open"),
        ]
        indexes = [
            models.Index(fields=["station", "-id"], name="firmwareupdate_station_id"),
            models.Index(fields=["operator", "-id"], name="firmwareupdate_operator_id"),
            models.Index(fields=["due_at"], condition=Q(finished_at__isnull=True), name="firmwareupdate_open_due"),
        ]

    def __str__(self) -> str:
        return str(self.firmware) if self.firmware_id else self.location or f"update {self.pk}"
