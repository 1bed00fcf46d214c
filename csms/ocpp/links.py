"""What a logged exchange belongs to: the session, the command, and what was found about it.

The log's rows say no more than what was on the wire; this is read from it again, by the same translators that read it when it
came, and looked up for all rows of a page together, in two statements.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson
from django.db.models import Q

from csms.ocpp import exchange, fixtures, frames, mend, registry, schemas
from csms.ocpp.errands import command_of
from csms.ocpp.errors import MessageError
from csms.ocpp.exchange import Inbound
from stations.domain.commands import BadCommand
from stations.domain.events import Event, TransactionEnded, TransactionStartAnswered
from stations.domain.values import Note, Registration
from stations.models import Command, Finding, MessageLogEntry, Transaction
from stations.services.transactions import orphan_id
from stations.state import StationState

#: A station of which nothing is known but that it is taken in.
ANYBODY = StationState(
    id=0,
    operator_id=0,
    identity="",
    version=0,
    registration=Registration.ACCEPTED,
    accepted=True,
    strict=False,
    heartbeat_interval_s=0,
    firmware_version="",
    status_at=None,
    concurrent_transactions=False,
)


@dataclass(slots=True)
class Said:
    """What an exchange says by itself: ids that its transaction may have in OCPP, and what was odd about it."""

    transactions: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def attach(entries: Sequence[MessageLogEntry]) -> Sequence[MessageLogEntry]:
    """Gives each of these rows its `of_transaction`, `of_command` (keys) and `findings` (codes), as they are known now."""
    said = [read(entry) for entry in entries]
    operators = {entry.operator_id for entry in entries}
    names = {(entry.station_id, name) for entry, one in zip(entries, said, strict=True) for name in one.transactions}
    known: dict[tuple[int, str], int] = {}
    if names:
        stations, ids = {station for station, _ in names}, {name for _, name in names}
        found = Transaction.objects.filter(station__in=stations, ocpp_transaction_id__in=ids)
        known = {(station, name): pk for station, name, pk in found.values_list("station_id", "ocpp_transaction_id", "id")}
    # A finding tells the newest message that showed it, by its time; what is odd in a message itself is read again.
    told: dict[tuple[int, str, object], list[tuple[str, int | None]]] = {}
    moments = {entry.received_at for entry in entries if entry.direction == "in"}
    if moments:
        newest = Q(operator__in=operators, last_at__in=moments, station__in={entry.station_id for entry in entries})
        columns = ("station_id", "message_id", "last_at", "code", "transaction_id")
        for station, message, at, code, transaction in Finding.objects.filter(newest).values_list(*columns):
            told.setdefault((station, message, at), []).append((code, transaction))
    commands = {pk for entry in entries if (pk := _command(entry)) is not None}
    there = set(Command.objects.filter(pk__in=commands).values_list("station_id", "id")) if commands else set()
    for entry, one in zip(entries, said, strict=True):
        found_now = told.get((entry.station_id, entry.message_id, entry.received_at), [])
        named = [known[entry.station_id, name] for name in one.transactions if (entry.station_id, name) in known]
        entry.of_transaction = next((pk for pk in (*named, *(pk for _, pk in found_now)) if pk is not None), None)
        command = _command(entry)
        entry.of_command = command if (entry.station_id, command) in there else None
        entry.findings = tuple(sorted({note.code for note in one.notes} | {code for code, _ in found_now}))
    return entries


def _command(entry: MessageLogEntry) -> int | None:
    return command_of(entry.message_id) if entry.direction == "out" else None


def read(entry: MessageLogEntry) -> Said:
    """Whatever stands in the log: what cannot be read says nothing."""
    if entry.protocol not in registry.PROTOCOLS:
        return Said()
    try:
        call = frames.parse(entry.call)
        answer = orjson.loads(entry.answer) if entry.answer else None
    except (frames.FrameError, orjson.JSONDecodeError):
        return Said()
    if not isinstance(call, frames.Call):
        return Said()
    heard = answer[2] if isinstance(answer, list) and len(answer) > 2 and answer[0] == 3 else None
    return _told(entry, call, heard) if entry.direction == "in" else _asked(entry, call, heard)


def _told(entry: MessageLogEntry, call: frames.Call, answer: object) -> Said:
    inbound = Inbound(entry.station_id, 0, entry.protocol, call, entry.call, entry.received_at, 0.0)
    exchange.read(inbound, ANYBODY)
    event: Event | None = inbound.event
    said = Said(notes=inbound.notes)
    if event is None:
        return said
    given = fixtures.reply_of(event.reply, answer)
    if isinstance(given, TransactionStartAnswered):
        said.transactions.append(given.transaction_id)
    elif name := getattr(event, "transaction_id", None):
        said.transactions.append(name)
    if isinstance(event, TransactionEnded):
        said.transactions.append(orphan_id(event))
    return said


def _asked(entry: MessageLogEntry, call: frames.Call, answer: object) -> Said:
    said = Said()
    translator = registry.BY_ACTION[entry.protocol].get(call.action)
    if translator is None:
        return said
    try:
        if name := getattr(translator.parse(call.payload), "transaction", None):
            said.transactions.append(str(name))
        response = f"{call.action}Response"
        if answer is not None and not schemas.validator(entry.protocol, response).is_valid(answer):
            said.notes = mend.mend(entry.protocol, response, answer, entry.received_at)[1]
    except (MessageError, BadCommand, KeyError, TypeError, ValueError, AttributeError):
        pass  # masked or refused beyond being read again
    return said
