"""One OCPP connection as a state machine without I/O: text in, actions out, the clock passed in.

Results of our calls resolve at once; calls of the station go to its ordered inbox. One call of ours is outstanding at a time
(OCPP-J 4.1.1); how many of the station's are, is its own affair, and bounded by who reads.
"""

import re
from collections import deque
from dataclasses import dataclass
from typing import Any

from csms.ocpp import frames
from csms.ocpp.errors import Code, spelled
from stations.domain.values import Note, Severity

#: The message id of a frame that is otherwise unreadable, so that its sender need not wait for its timeout.
READABLE_ID = re.compile(r'\s*\[\s*2\s*,\s*"([^"\\\x00-\x1f\ud800-\udfff]{1,36})"')


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A call of ours."""

    message_id: str
    action: str
    payload: dict[str, Any]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Handle:
    """A call of the station, to be handled in order. `text` is the frame as it came."""

    call: frames.Call
    text: str


@dataclass(frozen=True, slots=True)
class Oddity:
    """A frame that is no message: to be logged with its finding. `answer` is what the peer was told, if anything."""

    note: Note
    text: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Send:
    text: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """A call of ours has its outcome: a CALLRESULT, a CALLERROR, or None when no answer came in time or the socket closed."""

    call: Outgoing
    outcome: frames.CallResult | frames.CallError | None


Action = Handle | Oddity | Send | Resolved


class Session:
    def __init__(self, protocol: str) -> None:
        self.protocol = protocol
        self.waiting: deque[Outgoing] = deque()
        self.pending: Outgoing | None = None
        self.deadline = 0.0

    def receive(self, text: str, now: float) -> list[Action]:
        """A text frame came. `now` in seconds of a monotonic clock."""
        try:
            frame = frames.parse(text)
        except frames.FrameError as error:
            return self._unreadable(text, error)
        if isinstance(frame, frames.Call):
            return [Handle(frame, text)]
        odd = [Oddity(note, text) for note in frame.notes]
        pending = self.pending
        if pending is None or frame.message_id != pending.message_id:
            note = Note("answer_unexpected", "", "An answer came to a question that was not asked, or too late.", Severity.WARNING)
            return [Oddity(note, text)]
        self.pending = None
        return [*odd, Resolved(pending, frame), *self._next(now)]

    def call(self, call: Outgoing, now: float) -> list[Action]:
        """Ask the station something, after what was asked before."""
        self.waiting.append(call)
        return self._next(now)

    def tick(self, now: float) -> list[Action]:
        """Time passed: an answer that is overdue is given up, and the next call goes out."""
        if self.pending is None or now < self.deadline:
            return []
        overdue, self.pending = self.pending, None
        return [Resolved(overdue, None), *self._next(now)]

    def closed(self) -> list[Action]:
        """The socket is gone: no answer will come to anything."""
        lost = [self.pending, *self.waiting] if self.pending else list(self.waiting)
        self.pending = None
        self.waiting.clear()
        return [Resolved(call, None) for call in lost]

    def _next(self, now: float) -> list[Action]:
        if self.pending is not None or not self.waiting:
            return []
        self.pending = self.waiting.popleft()
        self.deadline = now + self.pending.timeout_s
        return [Send(frames.call(self.pending.message_id, self.pending.action, self.pending.payload))]

    def _unreadable(self, text: str, error: frames.FrameError) -> list[Action]:
        """Answer as far as the version defines it: 2.x even without an id ("-1"); 1.6 only what it can name."""
        if not text.strip():
            return [Oddity(Note("frame_empty", "", "An empty frame."), text)]
        message_id = error.message_id
        if message_id == "-1" and not error.unknown_type and (match := READABLE_ID.match(text)):
            message_id = match[1]
        note = Note("frame_unreadable", "", error.reason, Severity.WARNING)
        if error.unknown_type:
            note = Note("frame_type_unknown", "", error.reason, Severity.WARNING)
        answerable = error.answerable and (message_id != "-1" or self.protocol != "ocpp1.6")
        # 1.6 wants a message of unknown type ignored (OCPP-J 1.6 4.1.3).
        if not answerable or (error.unknown_type and self.protocol == "ocpp1.6"):
            return [Oddity(note, text)]
        code = Code.MESSAGE_TYPE_NOT_SUPPORTED if error.unknown_type else Code.RPC_FRAMEWORK_ERROR
        answer = frames.error(message_id, spelled(code, self.protocol), error.reason)
        return [Send(answer), Oddity(note, text, answer)]
