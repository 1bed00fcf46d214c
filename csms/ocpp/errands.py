"""A command on its way: from the row to CALLs of the station's version, and from the answers back to the row.

An errand is one command as the one or more CALLs it takes, sent one after the other; `settle` stores what came of them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
import psycopg

from csms.ocpp import frames, mend, quirks, registry, schemas, signed
from csms.ocpp.errors import InvalidPayload
from csms.ocpp.masking import masked
from csms.ocpp.translator import Outgoing, Payload, Unsayable
from stations.batch import Batch, Frame, clean
from stations.domain import commands
from stations.domain.commands import Command, Outcome, Verdict
from stations.domain.values import Note, Severity
from stations.models import MessageLogEntry
from stations.services import commands as life
from stations.services import devicemodel, network, passwords
from stations.services.commands import Claimed
from stations.services.followups import INTERNAL_ERROR
from stations.state import load_quirks

#: The ids of our CALLs, as `Errand.message_id` makes them: the command's key, and which of its CALLs it is.
MESSAGE_ID = re.compile(r"csms-(\d{1,18})-\d{1,6}")
#: What stations say of how much fits into one message: variable to its name among the limits.
LIMITS = """
SELECT station_id, variable || variable_instance, value FROM stations_variable
WHERE station_id = ANY(%s) AND variable IN ('ItemsPerMessage', 'BytesPerMessage', 'GetConfigurationMaxKeys')
  AND attribute = 'Actual'
"""
#: Commands of which a station may not take all in one message.
LIMITED = {
    *("get_variables", "set_variables"),
    *("set_variable_monitoring", "clear_variable_monitoring", "get_report", "get_monitoring_report"),
}


@dataclass(frozen=True, slots=True)
class Errand:
    """`calls`: the payloads to send, all of one action. `notes`: what the station's quirks made of them."""

    claimed: Claimed
    command: Command
    translator: type[Outgoing]
    calls: tuple[Payload, ...]
    notes: tuple[Note, ...] = ()

    @property
    def action(self) -> str:
        return self.translator.action

    def message_id(self, number: int) -> str:
        """Unique over the station's whole life, since the command's key is."""
        return f"csms-{self.claimed.id}-{number}"

    def goes_on(self, exchanged: "Sequence[Exchanged]") -> bool:
        """Whether its next CALL is sent, after what came of those before."""
        last = exchanged[-1].answer
        if not isinstance(last, frames.CallResult) or len(exchanged) == len(self.calls):
            return False
        return not (self.translator.in_steps and self._refused(len(exchanged), last.payload))

    def _refused(self, number: int, payload: Any) -> bool:
        said = signed.opened(payload)
        try:
            outcome, _ = self.read(number, payload if said is None else said.payload, datetime.now(UTC))
        except InvalidPayload:
            return True
        return outcome.verdict is Verdict.REJECTED

    def read(self, number: int, payload: Any, received_at: datetime) -> tuple[Outcome, list[Note]]:
        """What the station made of its CALL of this number, and what had to be mended in the answer. Raises InvalidPayload."""
        protocol, name, notes = self.claimed.protocol, f"{self.action}Response", list[Note]()
        if not schemas.validator(protocol, name).is_valid(payload):
            payload, notes = mend.mend(protocol, name, payload, received_at)
        return self.translator.decode(self.command, self.calls[number - 1], payload), notes


def command_of(message_id: str) -> int | None:
    """The command's key, from the id of one of its CALLs."""
    match = MESSAGE_ID.fullmatch(message_id)
    return int(match[1]) if match else None


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A CALL of ours and what came: a result, an error, or (None) nothing in time."""

    call: str
    answer: frames.CallResult | frames.CallError | None
    sent_at: datetime
    took_s: float


@dataclass(slots=True)
class Answered:
    """An errand that is done, on its way into the tables. `received` is the monotonic clock in seconds."""

    station_id: int
    fence: int
    protocol: str
    errand: Errand
    exchanged: list[Exchanged]
    received_at: datetime
    received: float


def limits(cursor: "psycopg.Cursor[tuple[Any, ...]]", claimed: list[Claimed]) -> dict[int, dict[str, int]]:
    """How much the stations of these commands take in one message, as far as they said."""
    asked = [one.station_id for one in claimed if one.kind in LIMITED]
    found: dict[int, dict[str, int]] = {}
    if asked:
        for station_id, name, value in cursor.execute(LIMITS, (asked,)).fetchall():
            if (value or "").isdigit():
                found.setdefault(station_id, {})[name] = int(value)
    return found


def quirks_of(cursor: "psycopg.Cursor[tuple[Any, ...]]", claimed: Iterable[Claimed]) -> dict[int, str]:
    """What is odd about the stations of these commands, as `StationState.quirks` has it."""
    asked = sorted({one.station_id for one in claimed})
    return {station_id: text for station_id, (_make, _zone, text) in load_quirks(cursor, asked).items()} if asked else {}


def prepare(claimed: Claimed, limits: dict[str, int], odd: str = "") -> Errand:
    """The CALLs of a command. Raises Unsayable if the station's version cannot say it; what leaves is always strictly valid.

    `odd`: the station's quirks.
    """
    version = claimed.protocol.removeprefix("ocpp")
    command = commands.COMMANDS[claimed.kind].of(claimed.params)
    # What was fixed for the sending or is sealed, such as a one-time address or a password, goes no further than into the CALL.
    said = network.opened(passwords.opened(command.fixed(claimed.facts)))
    translator = registry.outgoing(claimed.protocol, claimed.kind)
    if translator is None:
        raise Unsayable(f"OCPP {version} has no such command.")
    raw = claimed.facts.get("raw")
    notes: list[Note] = []
    named = registry.BY_ACTION[claimed.protocol].get(raw["action"]) if raw is not None else None
    named = named.reading(raw["payload"]) if raw is not None and named is not None else None
    if raw is not None and named is not None and named.command.kind == claimed.kind:
        # Whoever names an action gets that one, where a version has two for the command.
        translator, calls = named, [raw["payload"]]
    else:
        translator = translator.choose(said)
        calls = translator.encode(said, life.number_of(claimed.id), limits)
        calls, notes = quirks.sent(odd, claimed.protocol, translator.action, calls)
    for payload in calls:
        try:
            mend.validate(claimed.protocol, translator.action, payload)
        except InvalidPayload as error:
            raise Unsayable(f"OCPP {version} cannot say it: {error.description}") from None
    return Errand(claimed, command, translator, tuple(calls), tuple(notes))


def settle(answered: Answered, batch: Batch) -> None:
    """Store what came of an errand, and log each CALL with its answer."""
    errand = answered.errand
    station = batch.states[answered.station_id]
    batch.frame = Frame(station, answered.received_at, errand.message_id(1), errand.action, answered.protocol)
    for note in errand.notes:
        batch.note(note)
    outcomes: list[Outcome] = []
    responses: list[Any] = []
    error: tuple[str, str] | None = None
    for number, exchanged in enumerate(answered.exchanged, start=1):
        one = _opened(exchanged, answered, batch, number)
        if isinstance(one.answer, frames.CallError):
            error = (one.answer.code or "GenericError", one.answer.description)
        elif one.answer is not None:
            responses.append(one.answer.payload)
            try:
                outcomes.append(_read(answered, number, one.answer.payload, batch))
            except InvalidPayload as invalid:
                error = ("InvalidAnswer", f"The station's answer cannot be understood: {invalid.description}")
    # After a refusal the rest may not have been sent.
    complete = error is None and len(outcomes) == len(answered.exchanged)
    outcome = _combined(outcomes) if complete else None
    response = responses[0] if len(responses) == 1 else responses or None
    life.answered(
        batch,
        errand.claimed.id,
        errand.command,
        outcome,
        action=errand.action,
        response=_masked(response),
        error=error,
        asked_at=answered.exchanged[0].sent_at,
    )
    for report in () if complete else (report for one_outcome in outcomes for report in one_outcome.reports):
        # The first of several CALLs were taken all the same.
        devicemodel.store(batch, report)


def give_up(answered: Answered, batch: Batch) -> None:
    """What came of an errand could not be stored."""
    errand = answered.errand
    batch.frame = Frame(
        batch.states[answered.station_id], answered.received_at, errand.message_id(1), errand.action, answered.protocol
    )
    error = (INTERNAL_ERROR, "The station answered, but its answer could not be kept; the log of the server says why.")
    asked_at = answered.exchanged[0].sent_at
    life.answered(
        batch, errand.claimed.id, errand.command, None, action=errand.action, response=None, error=error, asked_at=asked_at
    )


def _opened(one: Exchanged, answered: Answered, batch: Batch, number: int) -> Exchanged:
    """Log a CALL with its answer; of an answer that the station signed, what is in it (OCPP 2.0.1 Part 4 section 7)."""
    said = signed.opened(one.answer.payload) if isinstance(one.answer, frames.CallResult) else None
    if said is None or not isinstance(one.answer, frames.CallResult):
        _log(batch, answered, one, number)
        return one
    if note := signed.checked(said, f"{answered.errand.action} answer"[:50], batch.station.signing_key):
        batch.note(note)
    as_signed = replace(one, answer=replace(one.answer, payload=orjson.Fragment(said.text)))
    _log(batch, answered, as_signed, number, said.kept)
    return replace(one, answer=replace(one.answer, payload=said.payload))


def _read(answered: Answered, number: int, payload: Any, batch: Batch) -> Outcome:
    outcome, notes = answered.errand.read(number, payload, answered.received_at)
    for note in notes:
        batch.note(Note(note.code, f"{answered.errand.action} answer {note.subject}".strip(), note.detail, Severity.INFO))
    return outcome


def _combined(outcomes: list[Outcome]) -> Outcome:
    """Of several answers to one command: refused if any is, scheduled if any is."""
    verdicts = {outcome.verdict for outcome in outcomes}
    verdict = next((v for v in (Verdict.REJECTED, Verdict.SCHEDULED) if v in verdicts), Verdict.ACCEPTED)
    facts: dict[str, Any] = {}
    for outcome in outcomes:
        for name, fact in outcome.facts.items():
            # What each of several messages brought is all of one list.
            facts[name] = facts[name] + fact if isinstance(fact, list) and isinstance(facts.get(name), list) else fact
    reason = ", ".join(outcome.reason for outcome in outcomes if outcome.reason)
    reports = tuple(report for outcome in outcomes for report in outcome.reports)
    return replace(outcomes[0], verdict=verdict, reason=reason, reports=reports, facts=facts)


def _masked(response: Any) -> Any:
    if response is None:
        return None
    kept = orjson.loads(masked(orjson.dumps(response).decode()))
    # An answer that is no structure is nonsense, but what came is kept.
    return kept if isinstance(kept, dict | list) else [kept]


def _log(batch: Batch, answered: Answered, one: Exchanged, number: int, signatures: str | None = None) -> None:
    errand = answered.errand
    answer, outcome = "", ""
    if isinstance(one.answer, frames.CallResult):
        answer, outcome = frames.result(one.answer.message_id, one.answer.payload), "result"
    elif one.answer is not None:
        answer = frames.error(one.answer.message_id, one.answer.code, one.answer.description, one.answer.details)
        outcome = one.answer.code[:40] or "GenericError"
    batch.add(
        MessageLogEntry,
        operator_id=batch.station.operator_id,
        station_id=answered.station_id,
        direction="out",
        protocol=answered.protocol,
        message_id=errand.message_id(number),
        action=errand.action,
        event=type(errand.command).__name__,
        outcome=outcome,
        call=masked(one.call),
        answer=clean(masked(answer)),
        received_at=one.sent_at,
        # `exchange.stamp` subtracts this from the time of the flush.
        handling_us=answered.received - one.took_s,
        signatures=signatures,
    )
