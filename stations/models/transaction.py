"""Charging transactions."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django_scopes import ScopedManager

from accounts.models import IdToken, Operator
from stations import choices
from stations.domain.values import DECIDED, Doubt, Payer, Reconstruction, TransactionStatus, Trust
from stations.models.site import Site
from stations.models.station import Evse, Station


def register() -> "models.DecimalField[Any, Any]":
    """A meter's register, or a difference of two, in Wh; power, in W."""
    return models.DecimalField(max_digits=15, decimal_places=3, null=True, blank=True)


class Transaction(models.Model):
    """What a station did for one vehicle, from start to stop.

    Its natural key is (station, ocpp_transaction_id); a 1.6 start that is sent again is recognised by `start_key`, a digest
    of its connector, tag, time and meter value. Energy is the difference of register readings, in Wh.

    `station_started_at` and `station_stopped_at` are what the station's clock said, where that was corrected; `final_at` is when
    the station said that it has nothing more of it; `due_at` is when the sweep looks at it next (see `stations.services.stale`).

    `payer` and `payer_group` are what its price asks of who charges, as it was when the id token was first shown (the group by its
    primary key): whatever becomes of the token later, what applied at the start stays applied.
    `site` and `time_zone` are where its station stood when it began, and by which clock its price goes (see `stations.cases`).
    `charging_ended_at`: since when the vehicle asks for no energy and is only parked; `parked`: what was told that decides it (see
    `stations.services.parking`).
    `reserved_at`: since when the plug was kept for it, if it used a reservation (see `stations.services.reservation`).
    """

    # Indexes of their own would be two more for every start: others begin with them.
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="transactions", db_index=False)
    evse = models.ForeignKey(Evse, models.SET_NULL, null=True, blank=True, related_name="transactions")
    connector_number = models.PositiveSmallIntegerField(default=1)
    ocpp_transaction_id = models.CharField(max_length=36)
    start_key = models.CharField(max_length=32, null=True, blank=True, editable=False)
    protocol = models.CharField(max_length=20, blank=True)
    id_token = models.ForeignKey(IdToken, models.SET_NULL, null=True, blank=True, related_name="transactions", db_index=False)
    id_tag = models.CharField(max_length=255, blank=True, help_text="The token as the station presented it.")
    additional_id_tags = models.JSONField(
        null=True, blank=True, help_text='What the station read with the token (2.x): [{"id_tag", "type"}].'
    )
    authorization_status = models.CharField(max_length=20, blank=True)
    status = models.CharField(max_length=10, choices=choices.TRANSACTION_STATUS, default=TransactionStatus.ACTIVE.value)
    doubt = models.CharField(max_length=20, choices=choices.DOUBT, default=Doubt.NONE.value, blank=True)
    started_at = models.DateTimeField()
    reserved_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when the plug was kept for it; null: it was not reserved."
    )
    stopped_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    stop_reason = models.CharField(max_length=30, blank=True)
    stopped_by = models.CharField(max_length=255, blank=True, help_text="The token that stopped it, if one did.")
    meter_start_wh = register()
    meter_stop_wh = register()
    meter_last_wh = register()
    meter_last_at = models.DateTimeField(null=True, blank=True)
    energy_wh = register()
    power_w = register()
    meter_start_at = models.DateTimeField(null=True, blank=True)
    charging_state = models.CharField(max_length=20, blank=True)
    charging_ended_at = models.DateTimeField(null=True, blank=True, help_text="Since when the vehicle is only parked.")
    phases_used = models.IntegerField(null=True, blank=True, help_text="How many phases the vehicle charges by (2.x).")
    cable_max_current_a = models.IntegerField(null=True, blank=True, help_text="What its cable carries, in A (2.x).")
    time_spent_charging_s = models.IntegerField(
        null=True, blank=True, help_text="For how long energy flowed, as the station counts, in seconds (2.x)."
    )
    parked = models.JSONField(null=True, blank=True, editable=False)
    remote_start_id = models.BigIntegerField(null=True, blank=True)
    sequences = models.JSONField(default=list, blank=True, help_text="Numbers of the events that came, as closed ranges (2.x).")
    first_sequence = models.IntegerField(null=True, blank=True)
    last_sequence = models.IntegerField(null=True, blank=True)
    soc_percent = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True)
    station_started_at = models.DateTimeField(null=True, blank=True)
    station_stopped_at = models.DateTimeField(null=True, blank=True)
    register_fell = models.BooleanField(default=False, db_default=False)
    reconstructed = models.CharField(
        max_length=10, choices=choices.RECONSTRUCTION, default=Reconstruction.NONE.value, db_default="", blank=True
    )
    final_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    asked = models.PositiveSmallIntegerField(default=0, db_default=0)
    payer = models.CharField(max_length=10, choices=choices.PAYER, default=Payer.UNSAID.value, db_default="", blank=True)
    # No foreign key: it stays what it was when the group is gone.
    payer_group = models.BigIntegerField(null=True, blank=True)
    # Its number stays when the site is gone.
    site = models.ForeignKey(
        Site, models.DO_NOTHING, null=True, blank=True, related_name="+", db_index=False, db_constraint=False, editable=False
    )
    time_zone = models.CharField(max_length=50, db_default="", default="", blank=True, editable=False)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["station", "ocpp_transaction_id"], name="transaction_station_ocppid"),
            models.UniqueConstraint(fields=["station", "start_key"], name="transaction_station_startkey"),
        ]
        indexes = [
            models.Index(fields=["operator", "-id"], name="transaction_operator_id"),
            models.Index("operator", Upper("id_tag"), F("started_at").desc(), F("id").desc(), name="transaction_tag_started"),
            models.Index(fields=["operator", "doubt", "-id"], condition=~Q(doubt=""), name="transaction_operator_of_doubt"),
            models.Index(fields=["operator", "-id"], condition=~Q(doubt__in=DECIDED), name="transaction_operator_waiting"),
            models.Index(
                fields=["operator", "-started_at", "-id"], condition=~Q(doubt__in=DECIDED), name="transaction_doubted_started"
            ),
            models.Index(fields=["site", "-started_at", "-id"], condition=Q(site__isnull=False), name="transaction_site_started"),
            models.Index(fields=["operator", "-started_at"], name="transaction_operator_started"),
            models.Index(fields=["station", "-id"], name="transaction_station_id"),
            models.Index(fields=["station", "-started_at"], name="transaction_station_started"),
            models.Index(fields=["operator", "-stopped_at"], condition=Q(status="ended"), name="transaction_operator_ended"),
            models.Index(fields=["station"], condition=Q(status="active"), name="transaction_station_active"),
            models.Index(
                fields=["station", "stopped_at"], condition=Q(stopped_at__isnull=False), name="transaction_station_stopped"
            ),
            models.Index(fields=["id_token", "-id"], name="transaction_token_id"),
            models.Index(fields=["id_token"], condition=Q(status="active"), name="transaction_token_active"),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="transaction_due"),
            models.Index(fields=["id"], condition=Q(status="active", due_at__isnull=True), name="transaction_unwatched"),
            models.Index(
                fields=["station", "station_stopped_at"],
                condition=Q(station_stopped_at__isnull=False),
                name="transaction_station_said_stop",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.station_id}/{self.ocpp_transaction_id}"

    @property
    def at_site(self) -> Site | None:
        """Where it took place; of one that began before that was noted, where its station stands now.

        Of rows that are read with `site`, which may be gone, and `station__site`.
        """
        return self.site if self.time_zone else self.station.site

    @property
    def trust(self) -> Trust:
        """How far its energy can be trusted, so far."""
        if self.doubt:
            return Trust.DOUBTFUL
        return Trust.RECONSTRUCTED if self.reconstructed else Trust.MEASURED
