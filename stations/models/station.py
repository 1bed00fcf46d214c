"""Stations, their EVSEs and connectors. A 1.6 connector is an EVSE with one connector."""

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django_scopes import ScopedManager

from accounts.models import Operator
from stations import choices
from stations.domain.values import ConnectorStatus, Registration
from stations.models.site import Site

# OCPP 2.0.1 Part 4 section 3: at most 48 characters, no colon (it separates user and password in HTTP Basic).
IDENTITY = RegexValidator(r"^[^:\x00-\x1f\x7f]{1,48}\Z", "1 to 48 characters, without a colon or control characters.")


class Station(models.Model):
    """A charging station.

    `registration` is what the next BootNotification is answered; `accepted_at` is when one was last answered Accepted, and
    as long as it is set the station's other messages are heard.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="stations")
    site = models.ForeignKey(Site, models.SET_NULL, null=True, blank=True, related_name="stations")
    identity = models.CharField(max_length=48, unique=True, validators=[IDENTITY])
    name = models.CharField(max_length=120, blank=True)
    registration = models.CharField(max_length=10, choices=choices.REGISTRATION, default=Registration.ACCEPTED.value)
    accepted_at = models.DateTimeField(null=True, blank=True)
    booted_at = models.DateTimeField(null=True, blank=True)
    boot_reason = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="Why it started last (OCPP 2.0.1 BootReasonEnumType)."
    )
    security_profile = models.PositiveSmallIntegerField(default=1, validators=[MaxValueValidator(2)])
    highest_profile = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="The highest security profile by which it came, where that is more than is demanded."
    )
    password_hash = models.CharField(max_length=200, blank=True)
    strict = models.BooleanField(default=False, help_text="Refuse what breaks the schema instead of mending it.")
    heartbeat_interval_s = models.PositiveIntegerField(default=300)
    vendor = models.CharField(max_length=50, blank=True)
    model = models.CharField(max_length=50, blank=True)
    serial_number = models.CharField(max_length=50, blank=True)
    box_serial_number = models.CharField(
        max_length=50, blank=True, default="", db_default="", help_text="The second one, of OCPP 1.6 (chargeBoxSerialNumber)."
    )
    firmware_version = models.CharField(max_length=100, blank=True)
    iccid = models.CharField(max_length=20, blank=True)
    imsi = models.CharField(max_length=20, blank=True)
    meter_type = models.CharField(max_length=50, blank=True)
    meter_serial_number = models.CharField(max_length=50, blank=True)
    status = models.CharField(max_length=20, choices=choices.CONNECTOR_STATUS, blank=True, help_text="Of the station as a whole.")
    status_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=50, blank=True)
    firmware_status = models.CharField(max_length=30, blank=True)
    firmware_status_at = models.DateTimeField(null=True, blank=True)
    log_status = models.CharField(max_length=30, blank=True)
    log_status_at = models.DateTimeField(null=True, blank=True)
    clock_offset_s = models.BigIntegerField(
        null=True, blank=True, help_text="How far the station's clock is ahead of ours, in seconds; negative if it is behind."
    )
    clock_offset_at = models.DateTimeField(null=True, blank=True, help_text="When that was last seen to change.")
    controller = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="behind",
        help_text="The local controller that relays it: without that it cannot be heard.",
    )
    signing_key = models.TextField(
        blank=True, default="", db_default="", help_text="The public key or certificate (PEM) with which it signs its messages."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["identity"]
        indexes = [models.Index(fields=["operator", "identity"], name="station_operator_identity")]

    def __str__(self) -> str:
        return self.identity


class Evse(models.Model):
    """A part of a station that charges one vehicle at a time. `number` is OCPP's evseId, counted from 1."""

    station = models.ForeignKey(Station, models.CASCADE, related_name="evses")
    number = models.PositiveSmallIntegerField()

    objects = ScopedManager(operator="station__operator")

    class Meta:
        ordering = ["station", "number"]
        constraints = [models.UniqueConstraint(fields=["station", "number"], name="evse_station_number")]

    def __str__(self) -> str:
        return f"EVSE {self.number}"


class Connector(models.Model):
    """A socket or cable of an EVSE, counted from 1."""

    evse = models.ForeignKey(Evse, models.CASCADE, related_name="connectors")
    number = models.PositiveSmallIntegerField()
    type = models.CharField(
        max_length=20, blank=True, default="", db_default="", help_text="As people said (ConnectorEnumType); empty: as it is told."
    )
    status = models.CharField(max_length=20, choices=choices.CONNECTOR_STATUS, default=ConnectorStatus.UNAVAILABLE.value)
    status_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=50, blank=True)
    info = models.CharField(max_length=50, blank=True)
    vendor_id = models.CharField(max_length=255, blank=True)
    vendor_error_code = models.CharField(max_length=50, blank=True)

    objects = ScopedManager(operator="evse__station__operator")

    class Meta:
        ordering = ["evse", "number"]
        constraints = [models.UniqueConstraint(fields=["evse", "number"], name="connector_evse_number")]

    def __str__(self) -> str:
        return f"{self.evse}/{self.number}"


class StatusHistory(models.Model):
    """Every state a connector (or, with EVSE 0, the station) reported. Partitioned by month of `at`; no foreign keys on it."""

    operator = models.ForeignKey(Operator, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False)
    evse_number = models.PositiveSmallIntegerField()
    connector_number = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=20, choices=choices.CONNECTOR_STATUS)
    error_code = models.CharField(max_length=50, blank=True)
    info = models.CharField(max_length=50, blank=True)
    vendor_id = models.CharField(max_length=255, blank=True)
    vendor_error_code = models.CharField(max_length=50, blank=True)
    at = models.DateTimeField(help_text="When it happened, by the station's clock if that can be believed.")
    received_at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-at"]
