"""A network with one of each thing a page can show, and the addresses of the pages that show it."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django_scopes import scopes_disabled

from accounts import drivers
from accounts.models import ApiKey, IdToken, Invitation, SavedView, User
from accounts.people import invite
from accounts.services import create_api_key
from billing import tariffs
from billing.models import ArchiveFile, ChargeRecord, MeterKey, Rebilling, Tariff
from csms.dashboard.wall import CARDS
from csms.forwarding.models import Forward, ForwardLink
from csms.webhooks.models import Webhook, WebhookDelivery, WebhookEvent
from stations.domain.values import ConnectorStatus, Registration, Severity
from stations.models import (
    Command,
    CommandRun,
    CommandRunStep,
    CommandStatus,
    ConnectionHistory,
    Connector,
    DisplayMessage,
    Evse,
    Finding,
    Firmware,
    FirmwareUpdate,
    LocalList,
    LocalListRule,
    LogUpload,
    MessageLogEntry,
    MeterDay,
    MeterQuarter,
    NetworkMove,
    NetworkProfile,
    PasswordChange,
    Quirk,
    QuirkSwitch,
    Refusal,
    Repair,
    RepairMessage,
    Reservation,
    Site,
    Station,
    StatusHistory,
    Transaction,
    Variable,
)
from stations.services.authorization import UNKNOWN
from tests.dashboard.chargingrows import limited
from tests.dashboard.monitoredrows import Monitored, monitored
from tests.dashboard.reservationrows import kept
from tests.dashboard.rolloutrows import RolledOut, rolled_out
from tests.dashboard.rows import bill, finding, finished, issued, plug, sample, seen, session
from tests.dashboard.securityrows import Secured, secured
from tests.dashboard.signedrows import signed
from tests.dashboard.tariffrows import Priced, priced
from tests.dashboard.worldrows import archived, asked_for, changed, firmware_of, logs_of, messages_of, settings_of
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
    log: LogUpload
    awaited: LogUpload
    image: Firmware
    update: FirmwareUpdate
    driver: User
    driver_card: IdToken
    person: User
    invitation: Invitation
    key: ApiKey
    rolled: RolledOut
    webhook: Webhook
    delivery: WebhookDelivery
    repair: RepairMessage
    forward: Forward
    link: ForwardLink
    knock: Refusal
    quirk: Quirk
    reservation: Reservation
    profile: NetworkProfile
    move: NetworkMove
    monitored: Monitored
    secured: Secured
    priced: Priced
    rebilling: Rebilling
    meter_key: MeterKey
    archived: ArchiveFile


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
    tariffs.assign(tariff=tariff, station=station)
    billed = bill(done, tariff)
    issued(billed)
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
    asked_for(offline, CommandStatus.QUEUED)
    asked = {status: asked_for(station, status) for status in CommandStatus}
    run = CommandRun.objects.create(operator=operator, token="t1", kind="reset", params={"when": "idle"}, created_at=now)
    Command.objects.filter(pk__in=[one.pk for one in asked.values()]).update(run=run)
    _steps(run, {station: asked[CommandStatus.CONFIRMED], pending: asked[CommandStatus.REJECTED]}, unheard, offline)
    ada = operator.users.filter(role="owner").first() or network.user("ada.of.the.views")
    changed(ada, station, card)
    view = SavedView.objects.create(user=ada, page="stations", name="Those that are broken", query="status=Faulted")
    invitation, _token = invite(operator=operator, email=f"hanna.{network.tag}@example.org", role="support", by=ada)
    _tapped(station)
    _listed(network, station, offline, card)
    limited(station)
    StatusHistory.objects.bulk_create(
        [StatusHistory(operator=operator, station=station, evse_number=3, connector_number=1, status=one, at=now, received_at=now)
         for one in ("Preparing", "Charging")]
    )  # fmt: skip
    shown = {"operator": operator, "station": station, "priority": "NormalCycle", "format": "UTF8", "set_at": now, "language": "en"}
    DisplayMessage.objects.create(**shown, number=4, content="Welcome", state="Idle", end_at=now + timedelta(days=1))
    DisplayMessage.objects.create(**shown, number=5, content="Closed for the winter", removed_at=now)
    ConnectionHistory.objects.create(operator=operator, station=station, fence=1, protocol="ocpp1.6", opened_at=now)
    dee = drivers.sign_up(email=f"dee.{network.tag}@example.org", password="charge-it-all-night", operator=operator, name="Dee")
    dees_card = drivers.add_id_tag(driver=dee, value=f"DEES-OWN-{network.tag}")
    library = firmware_of(station, offline)
    return World(
        *(network, station, offline, unheard, pending, running, done, doubtful, card),
        *(asked[CommandStatus.QUEUED], asked[CommandStatus.REJECTED], run, view, *settings_of(station), messages_of(station)),
        billed,
        *logs_of(station),
        *library,
        *(dee, dees_card, network.user("gus", role="viewer"), invitation, create_api_key(user=ada, scopes=["read"])[0]),
        rolled_out(network),
        *_told(station),
        _misunderstood(station),
        *_forwarded(station, offline),
        _knocked(network, station, pending),
        _odd(station),
        *kept(station, offline),
        monitored(station),
        secured(station, library[0]),
        priced(network, site),
        _billed_anew(tariff),
        signed(done),
        archived(operator),
    )


def _billed_anew(tariff: Tariff) -> Rebilling:
    """One that waits to be started, with a record that could not be priced, beside one that is over."""
    now = timezone.now()
    given = {"operator": tariff.operator, "tariff": tariff, "since": now - timedelta(days=3), "until": now}
    given |= {"reason": "The price was wrong", "created_at": now, "first_id": 1, "last_id": 9, "total": 12, "looked_at": 12}
    Rebilling.objects.create(**given, token="t1", state="done", started_at=now, finished_at=now, changed=7)
    failed = [{"record": 1, "session": 1, "error": "No tariff."}]
    return Rebilling.objects.create(
        **given, token="t2", state="ready", would_change=9, would_differ={"EUR": "-3.10"}, failures=1, failed=failed
    )


def _steps(run: CommandRun, asked: dict[Station, Command], waiting: Station, away: Station) -> None:
    """Of a run: what came to its end, what did not, one that waits for its turn, one that was not there."""
    CommandRunStep.objects.bulk_create(
        [
            *(CommandRunStep(run=run, station=one, command=command, state=state, finished_at=run.created_at)
              for (one, command), state in zip(asked.items(), ("done", "failed"), strict=True)),
            CommandRunStep(run=run, station=waiting, state="waiting"),
            CommandRunStep(run=run, station=away, state="skipped", reason="offline", finished_at=run.created_at),
        ]
    )  # fmt: skip


def _misunderstood(station: Station) -> RepairMessage:
    """A stop that nobody understood, beside one that came without its start and one that was set right."""
    now = timezone.now()
    frame = (
        '[2,"r1","StopTransaction",{"transactionId":1,"meterStop":"many","timestamp":"2026-11-20T10:00:00Z","idTag":"DEE-CARD"}]'
    )
    given = {"operator": station.operator, "station": station, "status": "ended", "received_at": now, "stopped_at": now}
    Transaction.objects.create(**given, ocpp_transaction_id="9@stop", doubt="start_missing", started_at=now, meter_stop_wh=9000)
    aside = Transaction.objects.create(
        **given, ocpp_transaction_id="set-aside", doubt="set_aside", started_at=now - timedelta(hours=1)
    )
    Repair.objects.create(
        operator=station.operator, transaction=aside, fix="write_off", reason="Free of charge", made_at=now,
        before={"doubt": "register"}, after={"doubt": "set_aside"},
    )  # fmt: skip
    return RepairMessage.objects.create(
        operator=station.operator, station=station, action="StopTransaction", frame=frame, answer='[3,"r1",{}]',
        reason="meterStop must be of type integer.", received_at=now, protocol="ocpp1.6",
    )  # fmt: skip


def _knocked(network: Network, station: Station, pending: Station) -> Refusal:
    """Somebody who may be accepted with the password that it sends; a charger that was given another, one that is given one now."""
    now = timezone.now()
    fields = {"operator": network.operator, "new_hash": "k$0", "created_at": now}
    PasswordChange.objects.create(**fields, station=station, status="done", finished_at=now)
    PasswordChange.objects.create(**fields, station=pending, status="at_restart", answered_at=now)
    return Refusal.objects.create(
        operator=network.operator, identity=f"{network.prefix}-NEW", reason="unknown_station", address="203.0.113.9", secure=True,
        path=f"/ocpp/{network.prefix}-NEW", subprotocols="ocpp1.6", headers={"host": "csms.example", "authorization": "Basic ***"},
        sent="good", sent_hash="k$1", first_at=now, last_at=now,
    )  # fmt: skip


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


def _forwarded(station: Station, offline: Station) -> tuple[Forward, ForwardLink]:
    """To a fleet that hears one charger and not the other, and to a program that is paused."""
    now = timezone.now()
    forward = Forward.objects.create(
        operator=station.operator, name="Fleet of Harbour", url="ws://127.0.0.1:9/ocpp?key=Harbour", password="open-sesame",
        identity="HL-{identity}", never=["Heartbeat"], to_station=True, served_at=now,
    )  # fmt: skip
    site = station.site
    Forward.objects.create(
        operator=station.operator, name="Program", url="wss://127.0.0.1:9/", active=False, which="site", site=site
    )
    of_both = {"operator": station.operator, "forward": forward, "protocol": "ocpp1.6", "read_from": now, "sent": 218}
    link = ForwardLink.objects.create(
        **of_both, station=station, state="connected", connected_at=now, forwarded_at=now, answer_ms=12, asked=1, position=2**40
    )
    ForwardLink.objects.create(
        **of_both, station=offline, state="failing", failing_since=now, dropped=4, refused=2, unmatched=1,
        error="The connection was refused: nothing listens there.",
    )  # fmt: skip
    return forward, link


def _odd(station: Station) -> Quirk:
    """A quirk of its own about the make of the station, and a shipped one that is switched off."""
    Quirk.objects.create(
        operator=station.operator, name="Off in Harbour", vendor="Nobody", adjustments=[{"do": "id_tag_plain"}], active=False
    )
    QuirkSwitch.objects.create(operator=station.operator, quirk=Quirk.shipped.earliest("pk"), active=False)
    return Quirk.objects.create(
        operator=station.operator,
        name="Times of Harbour",
        vendor=station.vendor,
        firmware_to="9",
        adjustments=[{"do": "local_time_zone", "zone": "Europe/Copenhagen"}, {"do": "measurands_allowed", "measurands": ["SoC"]}],
        source="https://example.org/odd",
        frame='[2,"1","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"2026-01-01T12:00:00"}]',
    )


def _tapped(station: Station) -> None:
    """A card that nobody is enrolled with was held to it."""
    now = timezone.now()
    fields = {"code": UNKNOWN, "subject": "04FFEEDDCCBBAA ISO14443", "severity": Severity.INFO, "first_at": now, "last_at": now}
    Finding.objects.create(operator=station.operator, station=station, **fields)


def _listed(network: Network, station: Station, offline: Station, card: IdToken) -> None:
    """The network has a rule, and so one charger a list that is in step but too short, another one that was refused."""
    now = timezone.now()
    rule = LocalListRule.objects.create(operator=network.operator, mode="groups", group_ids=[card.group_id], changed_at=now)
    fields = {"operator": network.operator, "rule": rule, "ask": False, "version": 3, "sent_version": 4, "highest": 2**40}
    LocalList.objects.create(**fields, station=station, state="in_step", count=1, left_out=2, limit=1, synced_at=now)
    LocalList.objects.create(
        **fields, station=offline, state="failed", error="Failed OutOfMemory", error_at=now, due_at=now + timedelta(hours=1),
        reported_version=2, reported_at=now,
    )  # fmt: skip


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
