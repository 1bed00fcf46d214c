"""What an app is told. No rule lives here."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from accounts.models import IdToken, IdTokenType, User
from billing import receiptcontent
from billing.models import ChargeRecord, Receipt
from billing.prices import Cost
from csms.api.fields import KnownOnly, Moment, Number, Text, Whole
from csms.api.serializers import Lines, Rows
from stations import charging, selectors
from stations.choices import CONNECTOR_STATUS
from stations.models import Command, Site, Transaction

#: What a driver can see a plug to be.
PLUG_STATES = [*(value for value, _ in CONNECTOR_STATUS), selectors.OFFLINE]


class Network(serializers.Serializer[Any]):
    """The network in which the driver charges."""

    code = serializers.CharField(allow_null=True)
    name = serializers.CharField()


class Me(Rows):
    operator = Network()

    class Meta:
        model = User
        fields = read_only_fields = ["id", "email", "name", "language", "operator", "blocked_because", "created_at"]


class MyChanges(KnownOnly):
    """What a driver may change of themselves."""

    name = Text(max_length=120, required=False, allow_blank=True)
    language = serializers.ChoiceField(choices=["", *(code for code, _ in settings.LANGUAGES)], required=False)


class MyIdTag(Rows):
    app = serializers.SerializerMethodField(help_text="Whether it is the one with which apps start; it is on no card.")

    class Meta:
        model = IdToken
        fields = read_only_fields = ["id", "value", "type", "status", "blocked_because", "expires_at", "app"]

    def get_app(self, row: IdToken) -> bool:
        return row.type == IdTokenType.CENTRAL and row.driver_since is None


class Place(Rows):
    class Meta:
        model = Site
        fields = read_only_fields = ["id", "name", "address", "city", "time_zone"]


class SessionCost(serializers.Serializer[Any]):
    """With tax. `final`: it is what the receipt says; until then it is the cost so far."""

    amount = serializers.DecimalField(max_digits=14, decimal_places=2)
    currency = serializers.CharField()
    final = serializers.BooleanField()


class MySession(Rows):
    """A session. `costs` of the context has what each of them costs."""

    station = serializers.CharField(source="station.identity")
    station_name = serializers.CharField(source="station.name")
    site = Place(source="station.site", allow_null=True)
    evse = serializers.IntegerField(source="evse.number", default=None, allow_null=True)
    energy_wh = Number(allow_null=True)
    power_w = Number(allow_null=True, help_text="The last reading; null once it has ended.")
    soc_percent = Number(allow_null=True)
    measured_at = Moment(source="meter_last_at", allow_null=True)
    cost = serializers.SerializerMethodField(help_text="Null while it is not known.")
    receipt = serializers.SerializerMethodField(help_text="Its receipt's id, a moment after the end.")

    class Meta:
        model = Transaction
        fields = read_only_fields = [
            *("id", "station", "station_name", "site", "evse", "status", "started_at", "stopped_at", "stop_reason"),
            *("energy_wh", "power_w", "soc_percent", "charging_state", "measured_at", "id_tag", "cost", "receipt"),
        ]

    def to_representation(self, instance: Transaction) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return shown | {"power_w": None} if instance.stopped_at else shown

    @extend_schema_field(SessionCost(allow_null=True))
    def get_cost(self, row: Transaction) -> Any:
        cost: Cost | None = self.context["costs"].get(row.pk)
        if cost is None:
            return None
        return SessionCost({"amount": cost.amount, "currency": cost.currency, "final": cost.record is not None}).data

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_receipt(self, row: Transaction) -> int | None:
        cost: Cost | None = self.context["costs"].get(row.pk)
        return cost.record.pk if cost and cost.record else None


class StartedAt(Moment):
    """As the record says it: its session may have been put right since."""

    def to_representation(self, value: ChargeRecord) -> str:  # type: ignore[override]  # of the whole row
        return super().to_representation(receiptcontent.started_at(value))


class StoppedAt(Moment):
    """The same of the end."""

    def to_representation(self, value: ChargeRecord) -> str | None:  # type: ignore[override]
        stopped = receiptcontent.stopped_at(value)
        return super().to_representation(stopped) if stopped else None


class MyReceipt(Rows):
    """What a session cost. Money is a decimal string. Of a credit note all of it is negative."""

    number = serializers.SerializerMethodField(help_text="Null for the moment until it is issued.")
    title = serializers.SerializerMethodField(help_text="Receipt or credit note with its number, in the receipt's language.")
    pdf = serializers.SerializerMethodField(help_text="The address of its PDF; null until it is issued.")
    operator = Network()
    session = serializers.IntegerField(source="transaction_id")
    station = serializers.CharField(source="transaction.station.identity")
    site = Place(source="transaction.at_site", allow_null=True)
    evse = serializers.IntegerField(source="transaction.evse.number", default=None, allow_null=True)
    started_at = StartedAt(source="*")
    stopped_at = StoppedAt(source="*", allow_null=True)
    energy_wh = Number()
    lines = Lines(read_only=True)
    tax = serializers.SerializerMethodField()

    class Meta:
        model = ChargeRecord
        fields = read_only_fields = [
            *("id", "number", "title", "pdf", "session", "operator", "station", "site", "evse", "started_at", "stopped_at"),
            *("duration_s", "energy_wh"),
            *("lines", "total_excl_tax", "tax", "total_incl_tax", "currency", "created_at"),
        ]

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_number(self, row: ChargeRecord) -> str | None:
        receipt = self._receipt(row)
        return receipt.label if receipt else None

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_title(self, row: ChargeRecord) -> str | None:
        receipt = self._receipt(row)
        return receipt.content["title"] if receipt else None

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_pdf(self, row: ChargeRecord) -> str | None:
        if self._receipt(row) is None:
            return None
        return str(reverse("api:my-receipt-pdf", kwargs={"pk": row.pk}, request=self.context["request"]))

    def _receipt(self, row: ChargeRecord) -> Receipt | None:
        return getattr(row, "receipt", None)

    @extend_schema_field(serializers.DecimalField(max_digits=14, decimal_places=2))
    def get_tax(self, row: ChargeRecord) -> str:
        return str(row.total_incl_tax - row.total_excl_tax)


class StartAsked(KnownOnly):
    """Where to charge: the code on the charger, and the number of the plug."""

    station = Text(max_length=48)
    evse = Whole(min_value=1, max_value=255)


class StopAsked(KnownOnly):
    """Which session to stop: by its id, or without one that which runs at this plug."""

    session = Whole(min_value=1, max_value=2**53, required=False)
    station = Text(max_length=48, required=False)
    evse = Whole(min_value=1, max_value=255, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("session" in attrs) == ("station" in attrs) or ("station" in attrs) != ("evse" in attrs):
            raise serializers.ValidationError("Give the session, or the station and the evse.")
        return attrs


class Asked(Rows):
    """What was asked of a charger, and what came of it.

    `state` of a start: asking (the charger), plug_in (it waits for the car `until` then), charging (see `session`), failed. Of
    a stop: asking, stopped, failed.
    """

    station = serializers.CharField(source="station.identity")
    evse = serializers.SerializerMethodField()
    command = serializers.ChoiceField(choices=["remote_start", "remote_stop"], source="kind")
    state = serializers.SerializerMethodField()
    until = serializers.SerializerMethodField()
    session = serializers.SerializerMethodField(help_text="The id of the session.")
    because = serializers.SerializerMethodField(help_text="The charger's own word, if it refused.")

    class Meta:
        model = Command
        fields = read_only_fields = [
            *("id", "station", "evse", "command", "status", "state", "until", "session", "because", "created_at"),
        ]

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_evse(self, row: Command) -> int | None:
        evse: int | None = row.params.get("evse")
        return evse

    @extend_schema_field(serializers.ChoiceField(choices=["asking", "plug_in", "charging", "stopped", "failed"]))
    def get_state(self, row: Command) -> str:
        return self._start(row).state

    @extend_schema_field(Moment(allow_null=True))
    def get_until(self, row: Command) -> str | None:
        until = self._start(row).until
        return Moment().to_representation(until) if until else None

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_session(self, row: Command) -> int | None:
        session = self._start(row).session
        return session.pk if session else None

    def get_because(self, row: Command) -> str:
        return self._start(row).because

    def _start(self, row: Command) -> charging.Start:
        start: charging.Start = self.context["start"]
        return start


class PriceRow(serializers.Serializer[Any]):
    """What charging costs, tax included, as decimal strings."""

    sentence = serializers.CharField(help_text="In one sentence, in the language that is asked for.")
    currency = serializers.CharField()
    per_kwh = serializers.DecimalField(max_digits=12, decimal_places=4, allow_null=True)
    per_minute = serializers.DecimalField(max_digits=12, decimal_places=4, allow_null=True)
    per_session = serializers.DecimalField(max_digits=12, decimal_places=4, allow_null=True)
    tax_percent = serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True)


class PlugOfLocation(serializers.Serializer[charging.Plug]):
    station = serializers.CharField(source="station.identity")
    station_name = serializers.CharField(source="station.name")
    evse = serializers.IntegerField(source="evse.number")
    state = serializers.ChoiceField(choices=PLUG_STATES)
    free = serializers.BooleanField(help_text="Whether it can be started now.")
    mine = serializers.BooleanField(help_text="Whether it is you who charges there.")
    price = serializers.SerializerMethodField(help_text="What it costs to start here now. Null while the operator has not said it.")

    @extend_schema_field(PriceRow(allow_null=True))
    def get_price(self, row: charging.Plug) -> Any:
        price = self.context["prices"].at(site=row.station.site_id, station=row.station.pk, evse=row.evse.pk)
        return PriceRow(price).data if price else None


class LocationRow(Place):
    """A site. `plugs` and `prices` are in the context."""

    latitude = Number(allow_null=True, help_text="Degrees north.")
    longitude = Number(allow_null=True, help_text="Degrees east.")
    distance_m = serializers.SerializerMethodField(help_text="From the place that was asked for; null if none was.")
    price = serializers.SerializerMethodField(
        help_text="That of the site; its plugs may have others. Null while the operator has not said it."
    )
    plugs = serializers.SerializerMethodField()
    free = serializers.SerializerMethodField(help_text="How many plugs can be started now.")

    class Meta(Place.Meta):
        fields = read_only_fields = [
            *Place.Meta.fields,
            *("latitude", "longitude", "distance_m", "price", "free", "plugs"),
        ]

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_distance_m(self, row: Site) -> int | None:
        distance = getattr(row, "distance_m", None)
        return None if distance is None else round(distance)

    @extend_schema_field(PriceRow(allow_null=True))
    def get_price(self, row: Site) -> Any:
        price = self.context["prices"].at(site=row.pk)
        return PriceRow(price).data if price else None

    @extend_schema_field(PlugOfLocation(many=True))
    def get_plugs(self, row: Site) -> Any:
        return PlugOfLocation(self.context["plugs"].get(row.pk, []), many=True, context=self.context).data

    def get_free(self, row: Site) -> int:
        return sum(plug.free for plug in self.context["plugs"].get(row.pk, []))
