"""The engine without sockets: messages go through exchange and batch on the test's own connection, committed."""

import itertools
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django_scopes import scopes_disabled

from csms.ocpp import frames
from csms.ocpp.batching import BatchThread
from csms.ocpp.errands import Answered, Errand, Exchanged
from csms.ocpp.exchange import Inbound
from stations.models import Connection, Station


class Engine:
    """A batch thread that is not started: `say` does one round in the calling thread. `protocol`: what its stations speak."""

    def __init__(self, protocol: str = "ocpp1.6") -> None:
        self.sent: list[Errand] = []
        self.thread = BatchThread(lambda results: self.sent.extend(results.errands))
        self.ids = itertools.count(1)
        self.protocol = protocol

    def inbound(
        self, station: Station, action: str, payload: Any, *, at: datetime | None = None, fence: int | None = None
    ) -> Inbound:
        """A CALL of a station as its socket would hand it over."""
        if fence is None:
            with scopes_disabled():
                fence = Connection.objects.get(station=station).fence
        call = frames.Call(str(next(self.ids)), action, payload)
        text = json.dumps([2, call.message_id, action, payload])
        return Inbound(station.pk, fence, self.protocol, call, text, at or datetime.now(UTC), time.monotonic())

    def round(self, *inbound: Inbound | Answered) -> list[list[Any] | None]:
        """The answers to messages handled together, as frames; None where the socket is to be closed, and for what is an answer."""
        with scopes_disabled():
            answered = self.thread._committed(inbound)
            while waiting := self.thread.lanes.held:
                self.thread.lanes.held = []
                answered += self.thread._committed(waiting)
        by_id = {id(one): text for one, text in answered}
        return [json.loads(text) if text else None for text in (by_id[id(one)] for one in inbound)]

    def say(self, station: Station, action: str, payload: Any, *, at: datetime | None = None) -> Any:
        """One message handled; the payload of the answer, or the whole CALLERROR."""
        (frame,) = self.round(self.inbound(station, action, payload, at=at))
        assert frame is not None
        return frame[2] if frame[0] == 3 else frame

    # Commands

    def connect(self, station: Station) -> None:
        """As if this process held the station's socket."""
        with scopes_disabled():
            Connection.objects.filter(station=station).update(
                node=settings.NODE, protocol=self.protocol, connected_at=datetime.now(UTC), disconnected_at=None
            )

    def claim(self, *stations: Station) -> list[Errand]:
        """What these stations are to be asked now; without stations, what a sweep finds."""
        self.sent.clear()
        with scopes_disabled():
            self.thread._errands({station.pk for station in stations}, everywhere=not stations)
        return list(self.sent)

    def reply(self, station: Station, errand: Errand, *answers: Any, after: Sequence[Inbound] = ()) -> None:
        """What `answered` makes of the answers. `after`: messages that came just before, and are handled together with them."""
        self.round(*after, self.answered(station, errand, *answers))

    def answered(self, station: Station, errand: Errand, *answers: Any) -> Answered:
        """The station's answers to an errand's CALLs: a payload, [code, description] for an error, None for silence."""
        with scopes_disabled():
            fence = Connection.objects.get(station=station).fence
        exchanged = []
        for number, answer in enumerate(answers, start=1):
            message_id = errand.message_id(number)
            frame: frames.CallResult | frames.CallError | None = None
            if isinstance(answer, list):
                frame = frames.CallError(message_id, *answer, {})
            elif answer is not None:
                frame = frames.CallResult(message_id, answer)
            call = frames.call(message_id, errand.action, errand.calls[number - 1])
            exchanged.append(Exchanged(call, frame, datetime.now(UTC) - timedelta(seconds=0.01), 0.01))
        return Answered(station.pk, fence, self.protocol, errand, exchanged, datetime.now(UTC), time.monotonic())
