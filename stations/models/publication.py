"""Firmware that local controllers hand on to the stations behind them."""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import Operator, User
from stations.models.command import Command
from stations.models.firmware import Firmware
from stations.models.station import Station


class PublicationStatus(models.TextChoices):
    """How far a publication is (OCPP 2.0.1 PublishFirmwareStatusEnumType, between the asking and the taking back)."""

    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent"
    DOWNLOADING = "downloading", "Downloading"
    DOWNLOADED = "downloaded", "Downloaded"
    VERIFIED = "verified", "Checksum verified"
    PUBLISHED = "published", "Published"
    FAILED = "failed", "Failed"
    UNPUBLISHED = "unpublished", "Unpublished"


class FirmwarePublication(models.Model):
    """One file that a station was asked to hand on. `firmware` empty: one of an address that is not the library's.

    `locations` are where the stations behind fetch it, once it is published. `token_hash` is that of its one-time address, good
    until `expires_at` or until it is published or has failed (`finished_at`).
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="firmware_publications", db_index=False)
    firmware = models.ForeignKey(Firmware, models.RESTRICT, null=True, blank=True, related_name="publications")
    command = models.ForeignKey(Command, models.SET_NULL, null=True, blank=True, related_name="+")
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    request_id = models.IntegerField()
    location = models.CharField(max_length=512, blank=True)
    checksum = models.CharField(max_length=32)
    token_hash = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)
    expires_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=PublicationStatus.choices, default=PublicationStatus.WAITING)
    status_at = models.DateTimeField()
    detail = models.CharField(max_length=300, blank=True)
    locations = models.JSONField(default=list, blank=True)
    bytes_served = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["station", "request_id"], condition=Q(finished_at__isnull=True), name="publication_number_open"
            ),
            models.UniqueConstraint(
                fields=["station", "checksum"], condition=Q(finished_at__isnull=True), name="publication_station_open"
            ),
        ]
        indexes = [
            models.Index(fields=["station", "-id"], name="publication_station_id"),
            models.Index(fields=["operator", "-id"], name="publication_operator_id"),
        ]

    def __str__(self) -> str:
        return str(self.firmware) if self.firmware_id else self.location or f"publication {self.pk}"
