"""Where stations are mirrored to, and how far each of them is."""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import Operator
from csms.sealing import SealedField
from stations.models import Site, Station

#: Stands in `Forward.identity` for the identity that the station has here.
IDENTITY = "{identity}"


class Style(models.TextChoices):
    """How the other back end is spoken to: as the charger would, or in lines that hold a call with its answer."""

    OCPP = "ocpp", "OCPP, as the charger"
    ENVELOPE = "envelope", "Envelopes (JSON)"


class Which(models.TextChoices):
    """Whose traffic is mirrored."""

    ALL = "all", "All chargers"
    SITE = "site", "Those of a site"
    CHOSEN = "chosen", "Chosen ones"


class LinkState(models.TextChoices):
    """Of one station's socket to the other back end. Idle: the station is away, and nothing waits."""

    IDLE = "idle", "Idle"
    CONNECTING = "connecting", "Connecting"
    CONNECTED = "connected", "Connected"
    FAILING = "failing", "Failing"


class Forward(models.Model):
    """A second back end, and what it gets to see.

    `only` and `never` name actions; with an empty `only`, all but `never`. `served_at` is the sign of life of the process that
    mirrors; `tried_at` is when somebody wanted to know: then nobody waits out a pause.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=80)
    url = models.CharField(max_length=500)
    style = models.CharField(max_length=10, choices=Style.choices, default=Style.OCPP)
    identity = models.CharField(max_length=120, default=IDENTITY)
    password = SealedField(max_length=600, blank=True, purpose="forward password")
    which = models.CharField(max_length=10, choices=Which.choices, default=Which.ALL)
    site = models.ForeignKey(Site, models.SET_NULL, null=True, blank=True, related_name="+")
    stations = models.ManyToManyField(Station, through="ForwardStation", related_name="+", blank=True)
    from_station = models.BooleanField(default=True)
    to_station = models.BooleanField(default=False)
    only = models.JSONField(default=list, blank=True)
    never = models.JSONField(default=list, blank=True)
    active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1, help_text="Counts its changes, so that the mirror notices one.")
    tried_at = models.DateTimeField(null=True, blank=True)
    served_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["operator", "id"], name="forward_operator_id")]

    def __str__(self) -> str:
        return self.name

    @property
    def shown_url(self) -> str:
        """Without what may be secret in it."""
        address, asks, _query = self.url.partition("?")
        return f"{address}?…" if asks else address

    def identity_of(self, station: str) -> str:
        """What the station is called at the other back end."""
        return self.identity.replace(IDENTITY, station)


class ForwardStation(models.Model):
    """A station that was chosen for a forward."""

    forward = models.ForeignKey(Forward, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="+")

    objects = ScopedManager(operator="forward__operator")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["forward", "station"], name="forwardstation_forward_station")]


class ForwardLink(models.Model):
    """One station at one second back end: its socket, and how far of the message log has been mirrored.

    What has a key up to `position` is done; what was received before `read_from` is not looked at any more. `numbers` holds
    pairs of transaction ids, ours and theirs, where these differ. Counters: `sent` and answered; `refused`, answered with an error;
    `dropped`, too old or unanswerable; `unmatched`, about a session they know nothing of; `asked`, calls of theirs that were
    turned down. `forwarded_at` is when the newest message that was mirrored had come.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    forward = models.ForeignKey(Forward, models.CASCADE, related_name="links", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=LinkState.choices, default=LinkState.IDLE)
    protocol = models.CharField(max_length=20, blank=True, default="")
    read_from = models.DateTimeField()
    position = models.BigIntegerField(default=0)
    numbers = models.JSONField(default=list, blank=True)
    introduced_at = models.DateTimeField(null=True, blank=True)
    connected_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True, default="")
    sent = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    dropped = models.BigIntegerField(default=0)
    unmatched = models.BigIntegerField(default=0)
    asked = models.BigIntegerField(default=0)
    forwarded_at = models.DateTimeField(null=True, blank=True)
    answer_ms = models.PositiveIntegerField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["forward", "station"], name="forwardlink_forward_station")]
        indexes = [
            models.Index(fields=["forward", "state", "id"], name="forwardlink_state"),
            models.Index(fields=["operator", "id"], name="forwardlink_operator_id"),
            models.Index(fields=["forward", "failing_since"], condition=Q(failing_since__isnull=False), name="forwardlink_failing"),
        ]
