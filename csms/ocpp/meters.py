"""What the OCPP endpoint counts. Labels come from tables of ours alone, never from what a station says.

The hot path calls `committed` once a batch; `tests/bench/meters.py` measures what that costs a message.
"""

import time
from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime

import structlog

from csms.metrics.meters import SECONDS, Counter, Gauge, Histogram, count
from csms.ocpp import frames
from csms.ocpp.errands import Answered, Errand
from csms.ocpp.errors import Code, spelled
from csms.ocpp.exchange import Message
from csms.ocpp.registry import INCOMING
from stations.batch import Batch
from stations.models import Finding

log = structlog.get_logger(__name__)

OTHER = "other"
#: What a socket may be closed with; a peer may invent any other.
CLOSE_CODES = frozenset({1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 1012, 1013})
CODES = {spelled(code, protocol) for code in Code for protocol in INCOMING}

MESSAGES = Histogram(
    "csms_message_seconds", "Calls of stations, from receipt to the commit that releases the answer.", ("version", "action")
)
ERRORS = Counter("csms_message_errors_total", "Calls of stations answered with a CALLERROR.", ("version", "action", "code"))
BATCHES = Histogram("csms_batch_messages", "Messages in a batch.", bounds=(1, 2, 4, 8, 16, 32, 64, 128, 256))
COMMITS = Histogram("csms_batch_seconds", "A batch from its beginning to its commit; the count is that of the commits.")
TROUBLES = Counter("csms_batch_troubles_total", "Batches that did not go through at once, by what stood in the way.", ("kind",))
FINDINGS = Counter("csms_findings_total", "Findings stored, by code.", ("code", "severity"))
OPENED = Counter("csms_sockets_opened_total", "Stations that came or came back.", ("version",))
CLOSED = Counter("csms_sockets_closed_total", "Sockets of stations that ended, by close code.", ("version", "code"))
REFUSED = Counter("csms_handshakes_refused_total", "Stations turned away, by reason.", ("reason",))
WAITED = Histogram("csms_command_wait_seconds", "Commands from their row to the wire.", ("version", "action"))
ANSWERED = Histogram("csms_command_answer_seconds", "Calls of ours, from the wire to the station's answer.", ("version", "action"))
OUTCOMES = Counter("csms_command_answers_total", "Calls of ours, by what came: result, error, silence.", ("version", "outcome"))

_open: dict[str, int] = dict.fromkeys(INCOMING, 0)
Gauge("csms_sockets", "Sockets of stations that are open.", lambda: [((v,), n) for v, n in _open.items()], labels=("version",))

#: The cells of the hot path, bound once.
_commits, _batches = COMMITS.cell(), BATCHES.cell()
_cells: dict[str, dict[str, list[float]]] = {protocol: {} for protocol in INCOMING}


def committed(answers: Sequence[tuple[Message, str | None]], batch: Batch, begun: float) -> None:
    """A batch begun at `begun` (monotonic seconds) is committed. Never raises: its answers must leave."""
    try:
        now = time.monotonic()
        count(_commits, SECONDS, now - begun)
        count(_batches, BATCHES.bounds, len(answers))
        cells = _cells
        for message, text in answers:
            if type(message) is Answered:
                _errand(message)
                continue
            call = message.call  # type: ignore[union-attr]
            if call is None or text is None:
                continue
            cell = cells[message.protocol].get(call.action)
            if cell is None:
                cell = _cell(message.protocol, call.action)
            took = now - message.received
            cell[bisect_left(SECONDS, took)] += 1
            cell[-1] += took
            if text[1:2] == "4":
                _error(message.protocol, call.action, text)
        for row in batch.added[Finding].values() if Finding in batch.added else ():
            FINDINGS.add(row["code"], row["severity"], by=row["count"])
    except Exception:
        log.exception("a batch could not be counted")


def _cell(protocol: str, action: str) -> list[float]:
    if action not in INCOMING[protocol]:
        return MESSAGES.cell(protocol, OTHER)
    cell = _cells[protocol][action] = MESSAGES.cell(protocol, action)
    return cell


def _error(protocol: str, action: str, text: str) -> None:
    frame = frames.parse(text)
    code = frame.code if isinstance(frame, frames.CallError) and frame.code in CODES else OTHER
    ERRORS.add(protocol, action if action in INCOMING[protocol] else OTHER, code)


def _errand(answered: Answered) -> None:
    cell = ANSWERED.cell(answered.protocol, answered.errand.action)
    for one in answered.exchanged:
        if one.answer is None:
            OUTCOMES.add(answered.protocol, "silence")
            continue
        cell[bisect_left(SECONDS, one.took_s)] += 1
        cell[-1] += one.took_s
        OUTCOMES.add(answered.protocol, "result" if isinstance(one.answer, frames.CallResult) else "error")


def sent(errand: Errand, protocol: str, at: datetime) -> None:
    """The first CALL of an errand goes onto the wire."""
    WAITED.add(max(0.0, (at - errand.claimed.created_at).total_seconds()), protocol, errand.action)


def opened(protocol: str) -> None:
    OPENED.add(protocol)
    _open[protocol] += 1


def closed(protocol: str, code: int) -> None:
    CLOSED.add(protocol, str(code) if code in CLOSE_CODES else OTHER)
    _open[protocol] -= 1
