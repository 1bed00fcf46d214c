"""What stations show on their displays."""

from django.db import models
from django_scopes import ScopedManager

from accounts.models import Operator
from stations import choices
from stations.models.station import Station


class DisplayMessage(models.Model):
    """A message as a station has it: what it accepted, or reported. `number` is its id there; another of that id takes its place.

    `report` is the number of the reading by which the station told of it last; `removed_at` is when it was gone before its time.
    Whether it is over by its time or with its transaction is seen when it is read (`stations.showing`).
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="display_messages", db_index=False)
    number = models.BigIntegerField()
    priority = models.CharField(max_length=12, choices=choices.MESSAGE_PRIORITY)
    state = models.CharField(max_length=12, choices=choices.MESSAGE_STATE, blank=True)
    format = models.CharField(max_length=8, choices=choices.MESSAGE_FORMAT)
    language = models.CharField(max_length=8, blank=True)
    content = models.TextField()
    start_at = models.DateTimeField(null=True, blank=True)
    end_at = models.DateTimeField(null=True, blank=True)
    ocpp_transaction_id = models.CharField(max_length=36, blank=True)
    component = models.CharField(max_length=50, blank=True, help_text="The display it is for, where a station has several.")
    component_instance = models.CharField(max_length=50, blank=True, default="", db_default="")
    evse_number = models.PositiveSmallIntegerField(default=0)
    connector_number = models.PositiveSmallIntegerField(default=0, db_default=0)
    report = models.BigIntegerField(null=True, blank=True)
    set_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["station", "number"], name="displaymessage_station_number")]
        indexes = [
            models.Index(fields=["operator", "-id"], name="displaymessage_operator_id"),
            models.Index(fields=["station", "-id"], name="displaymessage_station_id"),
            models.Index(fields=["set_at"], name="displaymessage_set"),
        ]

    def __str__(self) -> str:
        return self.content[:50]
