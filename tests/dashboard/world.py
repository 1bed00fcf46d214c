"""A network with one of each thing a page can show, and the addresses of the pages that show it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.urls import URLPattern, reverse
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts.models import IdToken, SavedView
from billing.models import ChargeRecord
from csms.dashboard.asking import ASKS
from csms.dashboard.urls import urlpatterns
from csms.dashboard.wall import CARDS
from csms.webhooks.models import Webhook, WebhookDelivery, WebhookEvent
from stations.domain.values import ConnectorStatus, Registration, Severity
from stations.models import (
    Command,
    CommandRun,
    CommandStatus,
    ConnectionHistory,
    Connector,
    Evse,
    Finding,
    MessageLogEntry,
    MeterDay,
    MeterQuarter,
    Refusal,
    Site,
    Station,
    StatusHistory,
    Transaction,
    Variable,
)
from stations.services.authorization import UNKNOWN
from tests.dashboard.rows import bill, finding, finished, plug, sample, seen, session
from tests.database import tables
from tests.network import Network

LONG_TAG = "04A1B2C3D4E5F60708091011121314"
REASONS = ("unknown_station", "wrong_password", "no_password", "not_a_websocket")


@dataclass
class World:
    network: Network
    station: Station
    offline: Station
    unheard: Station
    pending: Station
    running: Transaction
    done: Transaction
    doubtful: Transaction
    card: IdToken
    queued: Command
    refused: Command
    run: CommandRun
    view: SavedView
    setting: Variable
    fixed: Variable
    message: MessageLogEntry
    bill: ChargeRecord
    webhook: Webhook
    delivery: WebhookDelivery


#: What a route's address names. A route that names something and has no entry here cannot be opened.
NAMED: dict[str, Callable[[World], list[Any]]] = {
    "transaction": lambda world: [world.running.pk],
    "transaction_stop": lambda world: [world.running.pk],
    "session_points": lambda world: [world.running.pk],
    "id_tag": lambda world: [world.card.pk],
    "id_tag_status": lambda world: [world.card.pk],
    "run": lambda world: [world.run.pk],
    "view_delete": lambda world: [world.view.pk],
    "webhook": lambda world: [world.webhook.pk],
    "webhook_change": lambda world: [world.webhook.pk],
    "webhook_do": lambda world: [world.webhook.pk],
    "webhook_replay": lambda world: [world.webhook.pk],
    "delivery_replay": lambda world: [world.delivery.pk],
    "station": lambda world: [world.station.identity],
    "station_points": lambda world: [world.station.identity],
    "accept_boot": lambda world: [world.pending.identity],
    "station_message": lambda world: [world.station.identity, world.message.pk],
    "station_message_test": lambda world: [world.station.identity, world.message.pk],
    "send_command": lambda world: [world.station.identity],
    "cancel_command": lambda world: [world.station.identity, world.queued.pk],
    "retry_command": lambda world: [world.station.identity, world.refused.pk],
    "change_settings": lambda world: [world.station.identity],
}


def address(name: str, world: World, query: str = "") -> str:
    """Where it is. What a query names of the world stands in it in braces."""
    arguments = NAMED[name](world) if name in NAMED else []
    lately = timezone.now() - timedelta(minutes=30)
    asked = query.format(world=world, lately=quote(lately.isoformat()))
    return reverse(name, args=arguments) + (f"?{asked}" if asked else "")


def routes() -> set[str]:
    """The name of every address of the operators' pages."""
    assert all(isinstance(pattern, URLPattern) for pattern in urlpatterns)
    return {str(pattern.name) for pattern in urlpatterns}


@tables
def one_of_each(network: Network) -> World:
    with scopes_disabled():
        return _made(network)


def _made(network: Network) -> World:
    now = timezone.now()
    operator = network.operator
    site = Site.objects.create(operator=operator, name="Harbour", city="Aarhus")
    station = network.station(accepted=True, site=site, vendor="Alfen", model="Eve Single", serial_number="SN-77", name="The pier")
    seen(station, protocol="ocpp1.6")
    tariff = network.tariff()
    plugs = [
        plug(network, status, station=station, error_code="GroundFailure" if status == "Faulted" else "")
        for status in ConnectorStatus
    ]
    running = session(plugs[2], id_tag=LONG_TAG, soc_percent=61)
    done = finished(plugs[0])
    billed = bill(done, tariff)
    span = {"operator": operator, "station": station, "evse_number": 1, "samples": 15, "first_at": now, "last_at": now}
    MeterQuarter.objects.create(**span, start=now)
    MeterDay.objects.create(**span, day=now.date())
    finding(done)
    doubtful = finished(plugs[1], doubt="register", id_tag=LONG_TAG)
    for minute in range(50, 0, -10):
        sample(running, now - timedelta(minutes=minute), 11_000 - 90 * minute)
        sample(done, now - timedelta(minutes=minute), 9000)
    for severity in Severity:
        Finding.objects.create(
            operator=operator,
            station=station,
            code=f"mended_{severity}",
            severity=severity,
            detail="Odd.",
            first_at=now,
            last_at=now,
        )
    offline = network.station(accepted=True)
    plug(network, station=offline)
    seen(offline, ago=timedelta(hours=2), protocol="ocpp2.0.1")
    unheard = network.station()
    pending = network.station(registration=Registration.PENDING, booted_at=now)
    seen(pending, protocol="ocpp1.6")
    for number, reason in enumerate(REASONS):
        Refusal.objects.create(
            operator=operator, reason=reason, address="203.0.113.7", count=3, first_at=now, last_at=now,
            identity=unheard.identity if "password" in reason else f"{network.prefix}-KNOCKS-{number}",
        )  # fmt: skip
    card = network.token(LONG_TAG, group="THE-FAMILY-OF-DEE-20", note="the card of the blue van", expires_at=now)
    network.token("BLOCKED-CARD", status="Blocked", type="KeyCode")
    _asked(offline, CommandStatus.QUEUED)
    asked = {status: _asked(station, status) for status in CommandStatus}
    run = CommandRun.objects.create(operator=operator, token="t1", kind="reset", params={"when": "idle"}, created_at=now)
    Command.objects.filter(pk__in=[one.pk for one in asked.values()]).update(run=run)
    ada = operator.users.filter(role="owner").first() or network.user("ada.of.the.views")
    view = SavedView.objects.create(user=ada, page="stations", name="Those that are broken", query="status=Faulted")
    _tapped(station)
    StatusHistory.objects.bulk_create(
        [StatusHistory(operator=operator, station=station, evse_number=3, connector_number=1, status=one, at=now, received_at=now)
         for one in ("Preparing", "Charging")]
    )  # fmt: skip
    ConnectionHistory.objects.create(operator=operator, station=station, fence=1, protocol="ocpp1.6", opened_at=now)
    return World(
        *(network, station, offline, unheard, pending, running, done, doubtful, card),
        *(asked[CommandStatus.QUEUED], asked[CommandStatus.REJECTED], run, view, *_settings(station), _messages(station)),
        billed,
        *_told(station),
    )


def _told(station: Station) -> tuple[Webhook, WebhookDelivery]:
    """A webhook that works, with deliveries of every kind, and one that was switched off."""
    now = timezone.now()
    fields = {"operator": station.operator, "events": ["station.faulted"], "secret": "whsec_c2VjcmV0"}
    webhook = Webhook.objects.create(**fields, url="http://127.0.0.1:9/told?key=Harbour", description="For Harbour", sequence=4)
    Webhook.objects.create(**fields, url="http://127.0.0.1:9/off", active=False, disabled_because="Nothing was delivered.")
    event = WebhookEvent.objects.create(
        operator=station.operator, type="station.faulted", data={"station": station.identity, "evse": 1}, created_at=now
    )
    made = [
        WebhookDelivery.objects.create(
            operator=station.operator, webhook=webhook, event=event, sequence=number, status=status, due_at=now + timedelta(days=1),
            **told,
        )
        for number, (status, told) in enumerate(
            {
                "delivered": {"attempts": 1, "attempted_at": now, "delivered_at": now, "response_code": 200, "response_ms": 12},
                "failed": {"attempts": 2, "attempted_at": now, "error": "The connection was refused: nothing listens there."},
                "given_up": {"attempts": 13, "response_code": 500, "response_body": "<h1>Oops</h1>", "error": "It answered 500."},
                "waiting": {},
            }.items(),
            start=1,
        )
    ]  # fmt: skip
    return webhook, made[0]


def _tapped(station: Station) -> None:
    """A card that nobody is enrolled with was held to it."""
    now = timezone.now()
    fields = {"code": UNKNOWN, "subject": "04FFEEDDCCBBAA ISO14443", "severity": Severity.INFO, "first_at": now, "last_at": now}
    Finding.objects.create(operator=station.operator, station=station, **fields)


def _asked(station: Station, status: str) -> Command:
    now = timezone.now()
    return Command.objects.create(
        operator=station.operator, station=station, kind="reset", params={"when": "idle"}, status=status, reason="Ground failure",
        detail="" if status in ("queued", "sent") else "Not now", created_at=now, expires_at=now + timedelta(hours=1),
        action="Reset", response={"status": "Rejected"} if status == "rejected" else None,
        sent_at=None if status == "queued" else now, finished_at=now if status == "confirmed" else None,
    )  # fmt: skip


def _settings(station: Station) -> list[Variable]:
    """One that drifts, one that cannot be changed, and one of every other kind."""
    now = timezone.now()
    rows: list[dict[str, Any]] = [
        {"variable": "HeartbeatInterval", "value": "300", "wanted": "60", "unit": "s"},
        {"variable": "NumberOfConnectors", "value": "9", "mutability": "ReadOnly"},
        {"variable": "AllowOfflineTx", "value": "true", "wanted": "true", "data_type": "boolean"},
        {"variable": "Phases", "value": "L1,L2,L3,N", "component": "EVSE", "evse_number": 1},
        {"variable": "AuthorizationKey", "mutability": "WriteOnly"},
        {"variable": "Unheard", "known": False, "reported_at": None},
    ]
    return [
        Variable.objects.create(operator=station.operator, station=station, **{"reported_at": now} | fields) for fields in rows
    ][:2]


def _messages(station: Station) -> MessageLogEntry:
    """From and to the charger: answered, refused, never answered. Returns the refused one."""
    fields = {"operator_id": station.operator_id, "station_id": station.pk, "protocol": "ocpp1.6", "handling_us": 2400}
    fields |= {"received_at": timezone.now(), "message_id": "m1", "action": "MeterValues"}
    call = '[2,"m1","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-01T00:00:00Z","sampledValue":[]}]}]'
    error = '[4,"m1","FormationViolation","sampledValue is empty",{}]'
    MessageLogEntry.objects.bulk_create(
        MessageLogEntry(
            **fields | {"received_at": timezone.now(), "message_id": "m1", "action": "MeterValues", "call": call} | more
        )
        for more in (
            {"direction": "in", "outcome": "result", "answer": '[3,"m1",{}]', "event": "MetersSampled"},
            {"direction": "out", "outcome": "", "action": "Reset"},
            {"direction": "in", "outcome": "FormationViolation", "answer": error},
        )
    )
    return MessageLogEntry.objects.get(station=station, outcome="FormationViolation")


@tables
def crowd(network: Network) -> None:
    """So many plugs that the wall shows small shapes, some in each state."""
    states = list(ConnectorStatus)
    station = network.station(accepted=True)
    seen(station)
    with scopes_disabled():
        evses = Evse.objects.bulk_create(Evse(station=station, number=number) for number in range(1, CARDS + 10))
        connectors = [
            Connector(evse=evse, number=1, status=states[evse.number % len(states)], status_at=timezone.now()) for evse in evses
        ]
        session(Connector.objects.bulk_create(connectors)[states.index(ConnectorStatus.CHARGING) - 1])


#: Every page's states, by its route: the query it is opened with. Where it names something, that is the world's.
STATES: dict[str, list[str]] = {
    "wall": ["", "kiosk=1"],
    "sessions": ["", "status=active", "id_tag=NOBODY", "since=2026-02-02&until=2026-01-01"],
    "transaction": [""],
    "id_tags": ["", "q=NOTHING"],
    "id_tag_add": [""],
    "id_tags_import": [""],
    "id_tags_enrol": ["since={lately}"],
    "id_tag": [""],
    "onboarding": ["", "waiting=UNKNOWN"],
    "stations": ["", "status=Faulted", "site=none&sort=-status&cols=status&cols=serial&cols=power", "q=NOTHING"],
    "runs": ["station={world.station.pk}&station={world.unheard.pk}", "all=on&do=restart", ""],
    "run": ["", "only=failed"],
    "messages": ["", "errors=1", "q=NOTHING", "before=2026-01-01T00:00:00%2B00:00~1"],
    "station": [
        *("", "tab=configuration", "tab=configuration&drift=1", "tab=configuration&q=NOTHING"),
        *("tab=messages", "tab=messages&errors=1", "tab=messages&q=NOTHING", "tab=commands"),
        *(f"tab=commands&do={name}" for name in ASKS),
    ],
    "station_message": [""],
    "webhooks": [""],
    "webhook_add": [""],
    "webhook": ["", "status=given_up", "before=1"],
    "webhook_change": [""],
    "login": [""],
}
#: Files to download: what they are asked with.
FILES: dict[str, list[str]] = {
    "sessions_export": [""],
    "id_tags_export": [""],
    "onboarding_export": [""],
    "stations": ["format=csv"],
    "run": ["format=csv"],
    "webhooks": ["format=csv"],
    "webhook": ["format=csv"],
    "messages": ["format=csv", "format=ndjson"],
    "station": ["tab=messages&format=csv", "tab=messages&format=ndjson", "tab=commands&format=csv", "tab=configuration&format=csv"],
}
#: What scripts of the pages ask for, and what is one thing in a file.
DATA: dict[str, list[str]] = {
    "station_points": [""],
    "session_points": [""],
    "station_message_test": [""],
    "messages": ["format=newer&after=2026-01-01T00:00:00%2B00:00~1"],
    "station": ["tab=messages&format=newer&after=2026-01-01T00:00:00%2B00:00~1"],
}
#: Buttons: what they post.
BUTTONS: dict[str, dict[str, str]] = {
    "transaction_stop": {},
    "id_tag_status": {"status": "Blocked"},
    "id_tags_import_run": {"ticket": "x"},
    "onboarding_accept": {"identity": ""},
    "onboarding_password": {},
    "accept_boot": {},
    "run_start": {"do": "clear", "token": "t2"},
    "send_command": {"do": "clear"},
    "cancel_command": {},
    "retry_command": {},
    "change_settings": {"do": "read"},
    "webhook_do": {"do": "pause"},
    "webhook_replay": {"since": "2026-01-01T00:00"},
    "delivery_replay": {},
    "view_save": {"page": "stations", "name": "Mine", "query": "status=Faulted"},
    "view_delete": {},
    "language": {"language": ""},
    "logout": {},
}
