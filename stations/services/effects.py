"""What shows that a station did what it was asked: how long it may take, and which event tells of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from stations.batch import Batch
from stations.domain import commands, events
from stations.domain.commands import Outcome, Verdict
from stations.domain.values import ConnectorStatus
from stations.state import AwaitedEffect, TransactionState

DAY_S = 24 * 3600
#: A transaction that began this much before it was asked for may still be the one: clocks differ.
CLOCKS_DIFFER = timedelta(seconds=60)
STARTS_WITHIN = timedelta(seconds=180)
STATES = {str(one) for one in ConnectorStatus}


def never(awaited: AwaitedEffect, event: events.Event, batch: Batch) -> bool:
    """No event shows it: a row of its own does."""
    return False


def not_yet(awaited: AwaitedEffect, batch: Batch, asked_at: datetime) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Effect:
    """`within_s`: seconds after an acceptance until it is due, None if the answer is the effect; of the command and its outcome.
    `shows`: whether an event is it. `seen`: whether it came before the answer did, since stations act before they answer.
    """

    within_s: Callable[[commands.Command, Outcome], int | None]
    shows: Callable[[AwaitedEffect, events.Event, Batch], bool] = never
    seen: Callable[[AwaitedEffect, Batch, datetime], bool] = not_yet


def within(seconds: int) -> Callable[[commands.Command, Outcome], int]:
    """So many seconds; a day for what the station has put off."""
    return lambda command, outcome: DAY_S if outcome.verdict is Verdict.SCHEDULED else seconds


def _reset_within_s(command: commands.Command, outcome: Outcome) -> int | None:
    assert isinstance(command, commands.Reset)
    if command.evse is not None:
        return None  # an EVSE that restarts says nothing of it
    return DAY_S if outcome.verdict is Verdict.SCHEDULED or command.when == "idle" else 600


def _log_within_s(command: commands.Command, outcome: Outcome) -> int | None:
    """How far it is stands in the upload's row, which gives up sooner."""
    assert isinstance(command, commands.GetLog)
    return None if command.upload is None else 2 * DAY_S


def _transaction_began(awaited: AwaitedEffect, event: events.Event, batch: Batch) -> bool:
    if isinstance(event, events.TransactionStarted):
        # One that began long ago waited for a connection; what is awaited begins now.
        return any(_is_awaited_start(awaited, one, batch.now - STARTS_WITHIN) for one in batch.station.open.values())
    if isinstance(event, events.TransactionProgressed):
        return event.remote_start_id is not None and event.remote_start_id == awaited.facts.get("remote_start_id")
    return False


def _is_awaited_start(awaited: AwaitedEffect, begun: TransactionState, asked_at: datetime) -> bool:
    """Whether an open transaction is the one that was asked for: by its number, or where there is none by token and time."""
    if "remote_start_id" in awaited.facts:
        return begun.remote_start_id == awaited.facts["remote_start_id"]
    there = awaited.params["evse"] in (None, begun.evse)
    same = begun.id_tag.upper() == awaited.params["id_token"].upper()
    return there and same and begun.started_at >= asked_at - CLOCKS_DIFFER


def _transaction_ended(awaited: AwaitedEffect, event: events.Event, batch: Batch) -> bool:
    return awaited.params["transaction"] not in batch.station.open


def _booted(awaited: AwaitedEffect, event: events.Event, batch: Batch) -> bool:
    return isinstance(event, events.StationBooted)


def _availability_changed(awaited: AwaitedEffect, event: events.Event, batch: Batch) -> bool:
    there = [status for evse, status in _statuses(event) if awaited.params["evse"] in (0, evse)]
    return any((status is not ConnectorStatus.UNAVAILABLE) == awaited.params["operative"] for status in there)


def _statuses(event: events.Event) -> list[tuple[int, ConnectorStatus]]:
    """The states of connectors that a station told of, by EVSE: as such, or as what a component noticed (OCPP 2.0.1 G01)."""
    if isinstance(event, events.ConnectorStatusReported):
        return [(event.evse, event.status)]
    if not isinstance(event, events.ComponentEventsReported):
        return []
    told = [one for one in event.events if (one.component, one.variable) == ("Connector", "AvailabilityState")]
    return [(one.evse, ConnectorStatus(one.value)) for one in told if one.value in STATES]


def _message_came(awaited: AwaitedEffect, event: events.Event, batch: Batch) -> bool:
    if awaited.params["message"] == "StatusNotification":
        return bool(_statuses(event))
    wanted = TRIGGERED.get(awaited.params["message"])
    return wanted is not None and isinstance(event, wanted)


#: What a TriggerMessage brings (OCPP 2.0.1 MessageTriggerEnumType, 1.6 MessageTrigger).
TRIGGERED: dict[str, type[events.Event] | tuple[type[events.Event], ...]] = {
    "BootNotification": events.StationBooted,
    "Heartbeat": events.HeartbeatReceived,
    "MeterValues": events.MetersSampled,
    "TransactionEvent": events.TransactionProgressed,
    "FirmwareStatusNotification": events.FirmwareStatusReported,
    "DiagnosticsStatusNotification": events.LogStatusReported,
    "LogStatusNotification": events.LogStatusReported,
    "PublishFirmwareStatusNotification": events.FirmwarePublicationReported,
    "SignChargePointCertificate": events.CertificateRequested,
    "SignChargingStationCertificate": events.CertificateRequested,
    "SignCombinedCertificate": events.CertificateRequested,
    "SignV2GCertificate": events.CertificateRequested,
}


def _began_already(awaited: AwaitedEffect, batch: Batch, asked_at: datetime) -> bool:
    return any(_is_awaited_start(awaited, one, asked_at) for one in batch.station.open.values())


def _ended_already(awaited: AwaitedEffect, batch: Batch, asked_at: datetime) -> bool:
    return awaited.params["transaction"] not in batch.station.open


def _available_already(awaited: AwaitedEffect, batch: Batch, asked_at: datetime) -> bool:
    evses = [evse for evse in batch.station.evses.values() if awaited.params["evse"] in (0, evse.number)]
    states = [connector.status for evse in evses for connector in evse.connectors.values()]
    return bool(states) and all((s is not ConnectorStatus.UNAVAILABLE) == awaited.params["operative"] for s in states)


#: By the command's kind; `stations.services` adds those of the chapters that have their own. Of a kind that is not here the answer
#: is the effect.
OF: dict[str, Effect] = {
    "remote_start": Effect(within(int(STARTS_WITHIN.total_seconds())), _transaction_began, _began_already),
    "remote_stop": Effect(within(120), _transaction_ended, _ended_already),
    "reset": Effect(_reset_within_s, _booted),
    "change_availability": Effect(within(60), _availability_changed, _available_already),
    "trigger_message": Effect(within(60), _message_came),
    "get_log": Effect(_log_within_s),
}
