"""Who is connected, who was, and who was turned away."""

from django.db import models
from django_scopes import ScopedManager

from accounts.models import Operator
from stations.models.station import Station


class Connection(models.Model):
    """The one row a station that says who may speak for it.

    A batch locks it; `fence` is the number of the newest socket (frames of an older one are dropped), `state_version` counts
    the changes made outside the batch to what `StationState` holds. Whether a station is online is a lease: `seen_at`.
    """

    station = models.OneToOneField(Station, models.CASCADE, primary_key=True, related_name="connection")
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    fence = models.BigIntegerField(default=0)
    state_version = models.BigIntegerField(default=0)
    protocol = models.CharField(max_length=20, blank=True)
    node = models.CharField(max_length=100, blank=True, help_text="The process that holds the socket.")
    address = models.CharField(max_length=100, blank=True)
    connected_at = models.DateTimeField(null=True, blank=True)
    disconnected_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    told_online = models.BooleanField(null=True, blank=True, help_text="What was told last (see `stations.services.presence`).")

    objects = ScopedManager(operator="operator")


class ConnectionHistory(models.Model):
    """One socket of a station, from its acceptance to its end. Kept for a term (see `stations.services.connectionkeeping`)."""

    # Indexes of their own would be superfluous: others begin with them.
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="connections", db_index=False)
    fence = models.BigIntegerField()
    protocol = models.CharField(max_length=20, blank=True)
    node = models.CharField(max_length=100, blank=True)
    address = models.CharField(max_length=100, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    close_code = models.IntegerField(null=True, blank=True)
    close_reason = models.CharField(max_length=123, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-opened_at"]
        constraints = [models.UniqueConstraint(fields=["station", "fence"], name="connectionhistory_station_fence")]
        indexes = [
            models.Index(fields=["operator", "-id"], name="connectionhistory_operator_id"),
            models.Index(fields=["station", "-id"], name="connectionhistory_station_id"),
        ]


class Sent(models.TextChoices):
    """What was presented as a password."""

    NOTHING = "nothing", "Nothing"
    GOOD = "good", "One that may be a station's"
    SHORT = "short", "Too short"
    LONG = "long", "Too long"
    ODD = "odd", "Not in printable characters"


class Refusal(models.Model):
    """A knock at the OCPP endpoint that was turned away, with the reason. Repeated knocks count up one row.

    The operator is the station's; of an unknown identity, the only operator there is. With several operators an unknown
    identity belongs to none of them, and only a superuser sees it.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, null=True, blank=True, related_name="+")
    identity = models.CharField(max_length=255)
    reason = models.CharField(max_length=40)
    detail = models.CharField(max_length=300, blank=True)
    address = models.CharField(max_length=100, blank=True)
    path = models.CharField(max_length=300, blank=True)
    subprotocols = models.CharField(max_length=200, blank=True)
    headers = models.JSONField(default=dict, blank=True)
    secure = models.BooleanField(null=True, blank=True, help_text="Whether it came by TLS.")
    sent = models.CharField(max_length=10, choices=Sent.choices, blank=True, db_default="", default="")
    sent_hash = models.CharField(max_length=200, blank=True, editable=False, db_default="", default="")
    stranger = models.BooleanField(null=True, editable=False, help_text="Whether nobody knew the identity when it came last.")
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-last_at"]
        constraints = [models.UniqueConstraint(fields=["identity", "reason", "address"], name="refusal_identity_reason_address")]
        indexes = [
            models.Index(fields=["operator", "-last_at"], name="refusal_operator_last"),
            models.Index(fields=["last_at"], condition=~models.Q(sent_hash=""), name="refusal_sent_hash"),
            models.Index(fields=["last_at"], name="refusal_last"),
            models.Index(fields=["-last_at"], condition=models.Q(stranger=True), name="refusal_strangers"),
        ]
