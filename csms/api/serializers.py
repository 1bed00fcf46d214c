"""The rows as programs see them. No rule lives here."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import AuditEntry
from billing.models import ChargeRecord, RecordKind
from csms.api.fields import Flag, KnownOnly, Moment, Number, Text
from csms.api.pricelines import Codes, Lines, Taxes
from csms.api.sessionprices import CostSoFar, TariffOfTransaction
from csms.api.signedrows import SignedRow
from csms.ocpp.masking import MASK, SECRET_NAMES
from stations.domain.values import ConnectorStatus, Trust
from stations.models import (
    ConnectionHistory,
    Connector,
    Evse,
    Finding,
    MeterDay,
    MeterQuarter,
    MeterSample,
    Refusal,
    Site,
    Station,
    StatusHistory,
    Transaction,
    Variable,
)
from stations.services import groupterms
from stations.services.localcontrollers import LONGEST_KEY


class Rows(serializers.ModelSerializer[Any]):
    """Base of the lists that are read only: every time is in UTC."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        **{
            kind: Moment
            for kind, field in serializers.ModelSerializer.serializer_field_mapping.items()
            if field is serializers.DateTimeField
        },
    }


class SiteRow(Rows):
    latitude = Number(allow_null=True, help_text="Degrees north.")
    longitude = Number(allow_null=True, help_text="Degrees east.")

    class Meta:
        model = Site
        fields = read_only_fields = ["id", "name", "address", "city", "latitude", "longitude", "time_zone", "created_at"]


class ConnectorOfEvse(Rows):
    connector = serializers.IntegerField(source="number")

    class Meta:
        model = Connector
        fields = read_only_fields = ["connector", "status", "status_at", "error_code", "info", "vendor_id", "vendor_error_code"]


class ConnectorRow(ConnectorOfEvse):
    station = serializers.CharField(source="evse.station.identity")
    evse = serializers.IntegerField(source="evse.number")
    type = serializers.CharField(source="kind", help_text="As people said, else as the station tells; empty: nobody has said.")
    type_said = serializers.CharField(source="type", help_text="As people said; empty: as the station tells.")

    class Meta(ConnectorOfEvse.Meta):
        fields = read_only_fields = ["id", "station", "evse", *ConnectorOfEvse.Meta.fields, "type", "type_said"]


class ConnectorChange(KnownOnly):
    type = serializers.ChoiceField(
        choices=groupterms.PLUG_TYPES, allow_blank=True, help_text="OCPP 2.0.1 ConnectorEnumType; empty: as the station tells."
    )


class EvseOfStation(Rows):
    evse = serializers.IntegerField(source="number")
    connectors = ConnectorOfEvse(many=True)

    class Meta:
        model = Evse
        fields = read_only_fields = ["evse", "connectors"]


class EvseRow(EvseOfStation):
    station = serializers.CharField(source="station.identity")

    class Meta(EvseOfStation.Meta):
        fields = read_only_fields = ["id", "station", "evse", "connectors"]


@extend_schema_field({"type": "string", "enum": ["", *ConnectorStatus], "description": "Empty until it was told."})
class StationStatus(serializers.CharField):
    """Of the station as a whole."""


class StationRow(Rows):
    site = serializers.CharField(source="site.name", default=None, allow_null=True)
    online = serializers.BooleanField(help_text="Connected, and heard within three heartbeat intervals.")
    seen_at = Moment(source="connection.seen_at", default=None, allow_null=True)
    protocol = serializers.CharField(source="connection.protocol", default="", help_text="That of the last connection.")
    status = StationStatus()
    controller = serializers.CharField(
        source="controller.identity", default=None, allow_null=True, help_text="The local controller that relays it."
    )
    evses = EvseOfStation(many=True)

    class Meta:
        model = Station
        fields = read_only_fields = [
            *(
                "identity",
                "name",
                "site",
                "registration",
                "accepted_at",
                "booted_at",
                "boot_reason",
                "online",
                "seen_at",
                "protocol",
            ),
            *("vendor", "model", "serial_number", "box_serial_number", "firmware_version", "iccid", "imsi", "meter_type"),
            *("meter_serial_number", "security_profile", "highest_profile", "strict", "heartbeat_interval_s"),
            *("status", "status_at", "error_code", "firmware_status", "firmware_status_at", "log_status", "log_status_at"),
            *("clock_offset_s", "clock_offset_at", "controller", "signing_key", "created_at", "evses"),
        ]


class StationChange(KnownOnly):
    """What may be changed of a station."""

    strict = Flag(required=False, help_text="Refuse what breaks the schema instead of mending it.")
    controller = Text(
        required=False,
        allow_null=True,
        max_length=48,
        help_text="Identity of the local controller that relays it; null: none does.",
    )
    signing_key = Text(
        required=False, allow_blank=True, max_length=LONGEST_KEY, help_text="Public key or certificate (PEM) with which it signs."
    )

    allow_lower_profile = Text(
        required=False,
        max_length=200,
        help_text="The reason why it may come once by a lower security profile than it has come by; the audit keeps it.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError(f"Say what to change: {', '.join(self.fields)}.")
        return attrs


class FindingOfTransaction(Rows):
    class Meta:
        model = Finding
        fields = read_only_fields = ["id", "code", "subject", "severity", "detail", "message_id", "count", "first_at", "last_at"]


class FindingRow(FindingOfTransaction):
    station = serializers.CharField(source="station.identity")
    transaction = serializers.IntegerField(source="transaction_id", allow_null=True)

    class Meta(FindingOfTransaction.Meta):
        fields = read_only_fields = ["station", "transaction", *FindingOfTransaction.Meta.fields]


class Cost(serializers.Serializer[Any]):
    """A charge record. Money is a decimal string."""

    total_excl_tax = serializers.DecimalField(max_digits=14, decimal_places=2)
    total_incl_tax = serializers.DecimalField(max_digits=14, decimal_places=2)
    currency = serializers.CharField()
    lines = Lines()


class FurtherIdTag(serializers.Serializer[Any]):
    """What a station read together with an id tag; its type is as the station says it (OCPP 2.x AdditionalInfoType)."""

    id_tag = serializers.CharField()
    type = serializers.CharField()


class TransactionRow(Rows):
    station = serializers.CharField(source="station.identity")
    evse = serializers.IntegerField(source="evse.number", default=None, allow_null=True)
    connector = serializers.IntegerField(source="connector_number")
    additional_id_tags = serializers.SerializerMethodField(help_text="What the station read with the id tag, if it told.")
    energy_wh = Number(allow_null=True)
    power_w = Number(allow_null=True)
    soc_percent = Number(allow_null=True)
    meter_start_wh = Number(allow_null=True)
    meter_stop_wh = Number(allow_null=True)
    trust = serializers.ChoiceField(choices=[one.value for one in Trust], help_text="How far its energy can be trusted.")
    station_started_at = Moment(allow_null=True, help_text="By the station's clock, where that was corrected.")
    station_stopped_at = Moment(allow_null=True, help_text="By the station's clock, where that was corrected.")
    findings = FindingOfTransaction(many=True)
    signed = SignedRow(default=None, allow_null=True, help_text="What its meter signed; null: nothing, or it is not checked yet.")
    cost = serializers.SerializerMethodField()
    cost_so_far = serializers.SerializerMethodField(help_text="Of one that runs; null if it is not known, and once it has ended.")
    tariff = serializers.SerializerMethodField(help_text="Null while it has none.")

    class Meta:
        model = Transaction
        fields = read_only_fields = [
            *("id", "station", "evse", "connector", "ocpp_transaction_id", "protocol", "status", "id_tag", "additional_id_tags"),
            *("authorization_status", "reserved_at"),
            *("energy_wh", "power_w", "soc_percent", "started_at", "stopped_at", "received_at", "stop_reason", "stopped_by"),
            *("meter_start_wh", "meter_stop_wh", "charging_state", "charging_ended_at", "phases_used", "cable_max_current_a"),
            *("time_spent_charging_s", "remote_start_id", "doubt", "trust", "reconstructed", "final_at"),
            *("station_started_at", "station_stopped_at", "findings", "signed", "cost", "cost_so_far", "tariff"),
        ]

    @extend_schema_field(FurtherIdTag(many=True))
    def get_additional_id_tags(self, row: Transaction) -> Any:
        return row.additional_id_tags or []

    @extend_schema_field(Cost(allow_null=True))
    def get_cost(self, row: Transaction) -> Any:
        # Prefetched with the newest revision first; null until the job has made one.
        records = row.charge_records.all()
        return Cost(records[0]).data if records else None

    @extend_schema_field(CostSoFar(allow_null=True))
    def get_cost_so_far(self, row: Transaction) -> Any:
        found = self.context["costs"].get(row.pk)
        return CostSoFar({"amount": found[0], "currency": found[1]}).data if found else None

    @extend_schema_field(TariffOfTransaction(allow_null=True))
    def get_tariff(self, row: Transaction) -> Any:
        found = self.context["tariffs"].get(row.pk)
        return TariffOfTransaction(found).data if found else None


class ChargeRecordRow(Rows):
    station = serializers.CharField(source="transaction.station.identity")
    site = serializers.CharField(source="transaction.at_site.name", default=None, allow_null=True)
    transaction = serializers.IntegerField(source="transaction_id")
    kind = serializers.ChoiceField(choices=RecordKind.choices)
    credits = serializers.IntegerField(source="credits_id", allow_null=True, help_text="Of a credit: the record it takes back.")
    credited_by = serializers.IntegerField(
        source="credited_by.pk", default=None, allow_null=True, help_text="The credit that took it back; null: it counts."
    )
    tariff = serializers.IntegerField(source="tariff_id")
    tariff_version = serializers.IntegerField(
        source="version.number", default=None, allow_null=True, help_text="Null: made before that was kept."
    )
    energy_wh = Number()
    lines = Lines(read_only=True)
    taxes = Taxes(read_only=True)
    findings = Codes(read_only=True)
    trust = serializers.CharField(help_text="How far the session's energy could be trusted: measured or reconstructed.")

    class Meta:
        model = ChargeRecord
        fields = read_only_fields = [
            *("id", "station", "site", "transaction", "revision", "kind", "credits", "credited_by", "reason", "tariff"),
            *(
                "tariff_version",
                "currency",
                "started_at",
                "stopped_at",
                "reserved_at",
                "charging_ended_at",
                "energy_wh",
                "duration_s",
            ),
            *("lines", "taxes", "total_excl_tax", "total_incl_tax", "choice", "findings", "trust", "created_at"),
        ]


class MeterSampleRow(Rows):
    station = serializers.CharField(source="station.identity")
    evse = serializers.IntegerField(source="evse_number", help_text="0 is the station's main meter.")
    transaction = serializers.IntegerField(source="transaction_id", allow_null=True)
    energy_wh = Number(allow_null=True, help_text="The register, not a difference.")
    power_w = Number(allow_null=True)
    current_a = Number(allow_null=True, help_text="In A, of the most loaded phase.")
    current_sum_a = Number(allow_null=True, help_text="In A, all phases together, where they are told one by one.")
    voltage_v = Number(allow_null=True)
    soc_percent = Number(allow_null=True)

    class Meta:
        model = MeterSample
        fields = read_only_fields = [
            *("id", "station", "evse", "transaction", "at", "context", "energy_wh", "power_w", "current_a"),
            *("current_sum_a", "voltage_v", "soc_percent", "extra"),
        ]


class MeterSpanRow(Rows):
    station = serializers.CharField(source="station.identity")
    evse = serializers.IntegerField(source="evse_number", help_text="0 is the station's main meter.")
    power_mean_w = Number(allow_null=True)
    power_max_w = Number(allow_null=True)
    energy_first_wh = Number(allow_null=True, help_text="The register at the first sample.")
    energy_last_wh = Number(allow_null=True, help_text="The register at the last sample.")
    energy_wh = Number(allow_null=True, help_text="What the register rose by.")
    soc_last_percent = Number(allow_null=True)
    FIELDS: ClassVar[list[str]] = [
        *("samples", "first_at", "last_at", "power_mean_w", "power_max_w"),
        *("energy_first_wh", "energy_last_wh", "energy_wh", "soc_last_percent"),
    ]


class MeterQuarterRow(MeterSpanRow):
    class Meta:
        model = MeterQuarter
        fields = read_only_fields = ["id", "station", "evse", "start", *MeterSpanRow.FIELDS]


class MeterDayRow(MeterSpanRow):
    class Meta:
        model = MeterDay
        fields = read_only_fields = ["id", "station", "evse", "day", *MeterSpanRow.FIELDS]


class RefusalRow(Rows):
    class Meta:
        model = Refusal
        fields = read_only_fields = [
            *("id", "identity", "reason", "detail", "address", "path", "subprotocols", "headers", "count", "first_at", "last_at"),
        ]


class EventRow(Rows):
    station = serializers.CharField(source="station.identity")
    evse = serializers.IntegerField(source="evse_number", help_text="0 is the station as a whole.")
    connector = serializers.IntegerField(source="connector_number")

    class Meta:
        model = StatusHistory
        fields = read_only_fields = [
            *("id", "station", "evse", "connector", "status", "error_code", "info", "vendor_id", "vendor_error_code", "at"),
            "received_at",
        ]


class ConnectionRow(Rows):
    station = serializers.CharField(source="station.identity")

    class Meta:
        model = ConnectionHistory
        fields = read_only_fields = [
            *("id", "station", "protocol", "address", "opened_at", "closed_at", "close_code", "close_reason"),
        ]


class Setting(serializers.CharField):
    """A variable's value; that of a secret is masked."""

    def get_attribute(self, instance: Variable) -> str | None:
        value: str | None = super().get_attribute(instance)
        return MASK if value is not None and SECRET_NAMES.search(instance.variable) else value


class VariableRow(Rows):
    station = serializers.CharField(source="station.identity")
    evse = serializers.IntegerField(source="evse_number", help_text="0: of no EVSE.")
    connector = serializers.IntegerField(source="connector_number", help_text="0: of no connector.")
    value = Setting(allow_null=True, help_text="As the station reported it.")
    wanted = Setting(allow_null=True, help_text="As the operator wants it; null for no wish.")

    class Meta:
        model = Variable
        fields = read_only_fields = [
            *("id", "station", "component", "component_instance", "evse", "connector", "variable", "variable_instance"),
            *("attribute", "value", "wanted", "mutability", "known", "data_type", "unit", "values", "lowest"),
            *("highest", "persistent", "constant", "monitorable", "reported_at"),
        ]


@extend_schema_field({"type": "object", "additionalProperties": {}})
class Values(serializers.JSONField):
    """Fields that differ, by name."""


class AuditRow(Rows):
    actor = serializers.CharField(source="actor_label", help_text="An e-mail address, with the key's prefix; or what else it was.")
    kind = serializers.CharField(source="object_type", help_text="Of the thing: station, idtoken, tariff ...")
    thing = serializers.CharField(source="object_id", help_text="Its key.")
    name = serializers.CharField(source="object_label", help_text="As it was called.")
    before = Values(read_only=True)
    after = Values(read_only=True)

    class Meta:
        model = AuditEntry
        fields = read_only_fields = ["id", "at", "actor", "via", "action", "kind", "thing", "name", "before", "after", "note"]
