"""Display messages (OCPP 2.0.1 chapter O): what a station is to show, mirrored from what it accepts and reports.

A message that replaces another has its id (O06). One with an end goes by itself, and so does one of a transaction with it (O02):
`stations.showing` sees that when it is read.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from stations import limits, showing
from stations.batch import Batch
from stations.domain import commands, events
from stations.domain.command import moment_of
from stations.domain.commands import BadCommand, Outcome
from stations.domain.commands.displaymessage import ClearDisplayMessage, GetDisplayMessages, SetDisplayMessage
from stations.domain.events import DisplayMessagesReported, Done, ShownMessage
from stations.domain.values import TransactionStatus
from stations.lookups import DisplayNeed, FoundMessage, Need
from stations.models import Command, DisplayMessage, Station, Transaction, Variable
from stations.services import ourselves
from stations.services.companions import Companion
from stations.services.effects import Effect
from stations.services.rules import Rule
from stations.state import AwaitedEffect, StationState

COMPONENT = "DisplayMessageCtrlr"
#: How long a station may take to tell of all its messages, in seconds.
TOLD_WITHIN_S = 300
#: What is over is kept for so long, for whoever asks what was shown.
KEPT = timedelta(days=90)
#: Rows deleted at once.
CHUNK = 1000
AFTER_A_BOOT = "To see what the charger still shows after its restart."
#: What tells how many messages a station has, and by its maxLimit how many it may have: as the specification's list of variables
#: calls it, and as its messages do.
COUNTED = ("DisplayMessages", "NumberOfDisplayMessages")
#: The parameter of a message, to the variable that lists what is supported of it.
LISTS = {"priority": "SupportedPriorities", "format": "SupportedFormats", "state": "SupportedStates"}


# What the station says


def reported_needs(event: DisplayMessagesReported, station: StationState) -> Iterable[Need]:
    return (DisplayNeed(station.id),) if event.last else ()


def reported(event: DisplayMessagesReported, batch: Batch) -> Done:
    """Keep a page. With the last one, what was asked for and not told of is known to be gone (O03, O04)."""
    for message in event.messages:
        _keep(batch, message, report=event.request_id)
    asked = _asked(event, batch.station)
    if event.last and asked is None:
        # Stations tell before they agree to.
        batch.station.told_reading = event.request_id
    elif event.last and asked is not None:
        here = {message.number for message in event.messages}
        for known in batch.lookups.displays.get(DisplayNeed(batch.station.id), []):
            told = known.number in here or known.report == event.request_id or _added(batch, known)
            if not told and _wanted(known, asked.params):
                batch.change(DisplayMessage, known.id, removed_at=batch.now)
    batch.touch()
    return Done()


def booted(batch: Batch) -> None:
    """What a station shows after a restart is asked for: it may have forgotten."""
    station = batch.station
    shows = station.showing is not None and station.showing.display
    if shows and not any(one.kind == GetDisplayMessages.kind for one in station.awaiting):
        ourselves.ask(batch, GetDisplayMessages(), AFTER_A_BOOT)


def _asked(event: events.Event, station: StationState) -> AwaitedEffect | None:
    """The reading that a page answers."""
    assert isinstance(event, DisplayMessagesReported)
    asked = (one for one in station.awaiting if one.kind == GetDisplayMessages.kind)
    return next((one for one in asked if one.facts.get("request_id") == event.request_id), None)


def _added(batch: Batch, known: FoundMessage) -> bool:
    """Whether an earlier page of this batch told of it."""
    return (batch.station.id, known.number) in batch.added.get(DisplayMessage, {})


def _wanted(known: FoundMessage, params: dict[str, Any]) -> bool:
    """Whether a reading asked for it."""
    numbers, priority, state = params.get("numbers"), params.get("priority"), params.get("state")
    return (not numbers or known.number in numbers) and priority in (None, known.priority) and state in (None, known.state)


def _keep(batch: Batch, message: ShownMessage, *, report: int | None) -> None:
    batch.add(
        DisplayMessage,
        operator_id=batch.station.operator_id,
        station_id=batch.station.id,
        number=message.number,
        priority=message.priority,
        state=message.state,
        format=message.format,
        language=message.language,
        content=message.content,
        start_at=message.start_at,
        end_at=message.end_at,
        ocpp_transaction_id=message.transaction_id,
        component=message.component,
        component_instance=message.component_instance,
        evse_number=message.evse,
        connector_number=message.connector,
        report=report,
        set_at=batch.now,
        removed_at=None,
    )


# What is asked of it


def check(row: Command, station: Station, command: commands.Command) -> None:
    """Refuse what the station is known not to show, by its own settings, before it is asked. Raises BadCommand."""
    assert isinstance(command, SetDisplayMessage)
    about = _about(station)
    said = {one.variable: one.value or "" for one in about if one.attribute == "Actual"}
    if said.get("Available", "").lower() == "false":
        raise BadCommand("%(station)s says that it has no display for messages.", station=station.identity)
    for name, variable in LISTS.items():
        wanted, listed = getattr(command, name), said.get(variable, "")
        can = [part.strip() for part in listed.split(",") if part.strip()]
        if wanted is not None and can and wanted not in can:
            raise BadCommand(
                "%(station)s cannot show messages with the %(what)s %(wanted)s; it can with %(can)s.",
                station=station.identity,
                what=name,
                wanted=wanted,
                can=", ".join(can),
            )
    if (most := _most(about)) is not None:
        others = showing.messages().filter(station=station, status__in=showing.KEPT).exclude(number=_number(command))
        if others.count() >= most:
            raise BadCommand(
                "%(station)s keeps %(most)s messages at most, and has as many: clear one, or replace it by giving its number.",
                station=station.identity,
                most=most,
            )
    _check_transaction(station, command)


def check_reading(row: Command, station: Station, command: commands.Command) -> None:
    """A station is asked for no more messages at once than it keeps (OCPP 2.0.1 O03, O04). Raises BadCommand."""
    assert isinstance(command, GetDisplayMessages)
    most = _most(_about(station))
    if command.numbers is not None and most is not None and len(command.numbers) > most:
        raise BadCommand("numbers must name 1 to %(most)s messages; leave it out for all.", most=most)


def _about(station: Station) -> list[Variable]:
    """What it says of its display."""
    return list(Variable.objects.filter(station=station, component=COMPONENT, attribute__in=("Actual", "MaxSet"), known=True))


def _most(about: list[Variable]) -> int | None:
    """How many messages a station keeps at most: the highest that their number may be. Its value is how many there are now."""
    counted = [one for one in about if one.variable in COUNTED]
    told = [one.highest if one.attribute == "Actual" else limits.whole(one.value) for one in counted]
    return min((int(most) for most in told if most is not None), default=None)


def _number(command: SetDisplayMessage) -> int:
    return -1 if command.number is None else command.number


def _check_transaction(station: Station, command: SetDisplayMessage) -> None:
    if command.transaction is None:
        return
    ended = Transaction.objects.filter(station=station, ocpp_transaction_id=command.transaction, status=TransactionStatus.ENDED)
    if ended.exists():
        raise BadCommand("Transaction %(id)s has ended already: its message would never be shown.", id=command.transaction)


def set_answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """What the station accepted is what it has (O01). Whatever it has not, it keeps the message of that id that it had."""
    if change.get("status") != "confirmed":
        return
    said = facts["message"]
    start, end = (None if said[name] is None else moment_of(name, said[name]) for name in ("start", "end"))
    message = ShownMessage(
        number=said["number"],
        priority=said["priority"],
        content=said["content"],
        format=said["format"],
        language=said["language"] or "",
        state=said["state"] or "",
        start_at=start,
        end_at=end,
        transaction_id=said["transaction"] or "",
        component=said["component"] or "",
        component_instance=said["component_instance"] or "",
        evse=said["evse"] or 0,
        connector=said["connector"] or 0,
    )
    # A reading that is under way may have begun before it was there.
    reading = next((one.facts.get("request_id") for one in batch.station.awaiting if one.kind == GetDisplayMessages.kind), None)
    _keep(batch, message, report=reading)


REMOVE = """
UPDATE stations_displaymessage SET removed_at = %(now)s WHERE station_id = %(station)s AND removed_at IS NULL
  AND (%(numbers)s::bigint[] IS NULL OR number = ANY(%(numbers)s))
  AND (%(priority)s::text IS NULL OR priority = %(priority)s) AND (%(state)s::text IS NULL OR state = %(state)s)
  AND (%(report)s::bigint IS NULL OR report IS DISTINCT FROM %(report)s)
"""


def _remove(batch: Batch, *, told: int | None = None, **which: Any) -> None:
    """Those of these `numbers`, `priority` and `state` are gone, but for what the reading `told` told of."""
    any_of = {"numbers": None, "priority": None, "state": None}
    batch.cursor.execute(REMOVE, {"now": batch.now, "station": batch.station.id, "report": told} | any_of | which)


def clear_answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """A message that was cleared is gone (O05), and one that the station does not know was gone before."""
    if "number" in facts:
        _remove(batch, numbers=[facts["number"]])


def get_answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """A station that has none of what was asked for says so, and sends no page (O03, O04)."""
    if facts.get("none"):
        _remove(batch, numbers=facts["numbers"], priority=facts["priority"], state=facts["state"])


def _told_within_s(command: commands.Command, outcome: Outcome) -> int | None:
    return None if outcome.facts.get("none") else TOLD_WITHIN_S


def _all_told(awaited: AwaitedEffect, event: events.Event, batch: Batch) -> bool:
    return isinstance(event, DisplayMessagesReported) and event.request_id == awaited.facts.get("request_id") and event.last


def _all_told_already(awaited: AwaitedEffect, batch: Batch, asked_at: datetime) -> bool:
    """What was asked for and not told of is gone: as for a page that comes after the answer."""
    told = batch.station.told_reading
    if told is None or told != awaited.facts.get("request_id"):
        return False
    _remove(batch, told=told, **awaited.params)
    batch.station.told_reading = None
    return True


# The end of what is over


def let_go(*, now: datetime) -> int:
    """Delete what was over long ago. Returns how many; some may be left for the next run."""
    over = showing.messages(now).filter(set_at__lt=now - KEPT).exclude(status__in=showing.KEPT).order_by("set_at")
    keys = list(over.values_list("pk", flat=True)[:CHUNK])
    with transaction.atomic():
        DisplayMessage.objects.filter(pk__in=keys).delete()
    return len(keys)


RULES: dict[type[events.Event], Rule] = {DisplayMessagesReported: Rule(reported, reported_needs)}
EFFECTS = {GetDisplayMessages.kind: Effect(_told_within_s, _all_told, _all_told_already)}


def _nothing(row: Command, station: Station, command: commands.Command) -> None:
    """It has no row of its own."""


COMPANIONS = {
    SetDisplayMessage.kind: Companion(check, set_answered),
    ClearDisplayMessage.kind: Companion(_nothing, clear_answered),
    GetDisplayMessages.kind: Companion(check_reading, get_answered),
}
