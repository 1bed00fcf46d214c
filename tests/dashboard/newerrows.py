"""A charger of OCPP 2.0.1 with rows on each of its tabs, and of which a knock was turned away since it came without TLS."""

from datetime import timedelta

from django.utils import timezone
from django_scopes import scopes_disabled

from stations.domain.values import ConnectorStatus
from stations.models import DisplayMessage, Firmware, LocalList, LocalListRule, Refusal, Station, Variable
from tests.dashboard.chargingrows import limited
from tests.dashboard.monitoredrows import monitored
from tests.dashboard.reservationrows import made_move, made_profile, made_reservation
from tests.dashboard.rows import plug, seen
from tests.dashboard.securityrows import secured
from tests.database import tables
from tests.network import Network

TABS = ("access", "power", "monitoring", "display", "security")


@tables
def newer_charger(network: Network, image: Firmware) -> Station:
    with scopes_disabled():
        now = timezone.now()
        station = network.station(
            accepted=True, vendor="Acme", model="Two", serial_number="SN-78", name="The quay", highest_profile=2
        )
        seen(station, protocol="ocpp2.0.1")
        for status in (ConnectorStatus.AVAILABLE, ConnectorStatus.RESERVED):
            plug(network, status, station=station)
        of = {"operator": station.operator, "station": station}
        rule = LocalListRule.objects.create(**of, mode="valid", changed_at=now)
        said = {"error": "VersionMismatch", "error_at": now, "version": 3, "sent_version": 4, "reported_version": 2, "count": 7}
        LocalList.objects.create(**of, rule=rule, made_by=f"{rule.pk}:1", state="failed", limit=5, left_out=2, **said)
        made_reservation(station)
        made_reservation(station, number=2, status="used", evse_number=None)
        limited(station)
        monitored(station)
        secured(station, image)
        shown = {**of, "priority": "AlwaysFront", "format": "UTF8", "set_at": now, "language": "en"}
        DisplayMessage.objects.create(**shown, number=1, content="Welcome", state="Idle", end_at=now + timedelta(days=1))
        DisplayMessage.objects.create(**shown, number=2, content="Closed for the winter", removed_at=now)
        made_profile(station)
        made_profile(station, slot=2, apn={"apn": "internet", "authentication": "NONE"})
        made_move(station, status="returned", finished_at=now)
        settings = (
            ("OCPPCommCtrlr", "NetworkConfigurationPriority", "1,2", "Actual", 0),
            ("OCPPCommCtrlr", "ActiveNetworkProfile", "1", "Actual", 0),
            ("ElectricalFeed", "ACVoltage", "228", "Actual", 0),
            ("EVSE", "Power", "22000", "MaxSet", 1),
            ("DisplayMessageCtrlr", "Available", "true", "Actual", 0),
            ("DisplayMessageCtrlr", "SupportedPriorities", "AlwaysFront,NormalCycle", "Actual", 0),
        )
        for component, variable, value, attribute, evse in settings:
            named = {"component": component, "variable": variable, "attribute": attribute, "evse_number": evse}
            Variable.objects.create(**of, **named, value=value, reported_at=now)
        Refusal.objects.create(
            operator=station.operator, reason="profile_lowered", identity=station.identity, first_at=now, last_at=now, count=2
        )
        return station
