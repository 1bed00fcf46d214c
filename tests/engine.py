"""The engine without sockets: messages go through exchange and batch on the test's own connection, committed."""

import itertools
import json
import time
from datetime import UTC, datetime
from typing import Any

from django_scopes import scopes_disabled

from csms.ocpp import frames
from csms.ocpp.batching import BatchThread
from csms.ocpp.exchange import Inbound
from stations.models import Connection, Station


class Engine:
    """A batch thread that is not started: `say` does one round in the calling thread."""

    def __init__(self) -> None:
        self.thread = BatchThread(lambda results: None)
        self.ids = itertools.count(1)

    def inbound(
        self, station: Station, action: str, payload: Any, *, at: datetime | None = None, fence: int | None = None
    ) -> Inbound:
        """A CALL of a station as its socket would hand it over."""
        if fence is None:
            with scopes_disabled():
                fence = Connection.objects.get(station=station).fence
        call = frames.Call(str(next(self.ids)), action, payload)
        text = json.dumps([2, call.message_id, action, payload])
        return Inbound(station.pk, fence, "ocpp1.6", call, text, at or datetime.now(UTC), time.monotonic())

    def round(self, *inbound: Inbound) -> list[list[Any] | None]:
        """The answers to messages handled together, as frames; None where the socket is to be closed."""
        with scopes_disabled():
            answered = self.thread._committed(inbound)
        by_id = {id(one): text for one, text in answered}
        return [json.loads(text) if text else None for text in (by_id[id(one)] for one in inbound)]

    def say(self, station: Station, action: str, payload: Any, *, at: datetime | None = None) -> Any:
        """One message handled; the payload of the answer, or the whole CALLERROR."""
        (frame,) = self.round(self.inbound(station, action, payload, at=at))
        assert frame is not None
        return frame[2] if frame[0] == 3 else frame
