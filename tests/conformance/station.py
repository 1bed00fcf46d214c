"""A station as a case plays it: one real socket, message by message."""

import json
import time
import uuid
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Self

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.conformance.against import PATIENCE_S
from tests.network import PASSWORD
from tests.peer import ago, basic

__all__ = ["PASSWORD", "Station", "Station16", "Station201", "ago", "basic"]


class Station:
    """`aside`: what it answers to questions that a case does not expect, by action; any other is a failure of the case."""

    protocol: ClassVar[str]
    ASIDE: ClassVar[dict[str, Any]] = {}

    def __init__(self, url: str, identity: str) -> None:
        self.url = url
        self.identity = identity
        self.aside: dict[str, Any] = dict(self.ASIDE)
        #: CALLs of the CSMS that nobody has expected yet, and the id of the one to be answered.
        self.asked: deque[list[Any]] = deque()
        self.open = ""
        self.socket: ClientConnection

    # The socket

    def dial(self, password: str | bytes = PASSWORD, **options: Any) -> Self:
        """Connect; a socket there was is left to itself. `headers`, `subprotocols` and what `websockets` takes may be said."""
        headers = options.pop("headers", None)
        options = {"subprotocols": [self.protocol], "ping_interval": None, "close_timeout": 1} | options
        self.socket = connect(
            options.pop("address", f"{self.url}/{self.identity}"),
            additional_headers=basic(self.identity, password) if headers is None else headers,
            proxy=None,
            open_timeout=max(PATIENCE_S, 5),
            **options,
        ).__enter__()
        self.asked.clear()
        self.open = ""
        return self

    def dial_by_tls(self, by_proxy: str) -> Self:
        """Connect by TLS, which ends in a proxy: what it says of the socket comes in its header."""
        headers = basic(self.identity) | {"X-Forwarded-Proto": "https"}
        return self.dial(address=f"{by_proxy}/{self.identity}", headers=headers)

    def turned_away(self, password: str | bytes = PASSWORD, **options: Any) -> int:
        """Dial in vain: the status of the HTTP answer."""
        try:
            self.dial(password, **options)
        except InvalidStatus as error:
            return error.response.status_code
        raise AssertionError("the handshake was accepted")

    def close(self) -> None:
        if hasattr(self, "socket"):
            self.socket.close()

    def closed(self) -> int:
        """Wait until the other side closes: the code."""
        try:
            while True:
                self.socket.recv(PATIENCE_S)
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006
        except TimeoutError:
            raise AssertionError("the socket stayed open") from None

    # What the station asks

    def exchange(self, action: str, payload: dict[str, Any]) -> list[Any]:
        """A CALL, and the whole frame that answers it. Questions that come in between are kept for `expect`."""
        number = uuid.uuid4().hex
        self.socket.send(json.dumps([2, number, action, payload]))
        deadline = time.monotonic() + PATIENCE_S
        while (frame := self._frame(deadline, f"no answer to {action}"))[0] == 2:
            self.asked.append(frame)
        assert frame[1] == number, frame
        return frame

    def call(self, action: str, payload: dict[str, Any] | None = None, **fields: Any) -> Any:
        """A CALL, and the payload of its result."""
        frame = self.exchange(action, (payload or {}) | fields)
        assert frame[0] == 3, frame
        return frame[2]

    def refused(self, action: str, payload: dict[str, Any] | None = None, **fields: Any) -> str:
        """A CALL that is answered by a CALLERROR: its code."""
        frame = self.exchange(action, (payload or {}) | fields)
        assert frame[0] == 4, frame
        return str(frame[2])

    # What it is asked

    def expect(self, action: str, /, **fields: Any) -> Any:
        """Wait for this CALL of the CSMS, with at least these fields: its payload. What stands in `aside` is answered before."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            frame = self.asked.popleft() if self.asked else self._frame(deadline, f"was not asked for {action}")
            assert frame[0] == 2, frame
            if frame[2] == action:
                break
            assert frame[2] in self.aside, f"was asked for {frame[2]}, not {action}: {frame[3]}"
            self._tell([3, frame[1], self.aside[frame[2]]])
        self.open = frame[1]
        told = {name: frame[3].get(name) for name in fields}
        assert told == fields, frame[3]
        return frame[3]

    def answer(self, payload: dict[str, Any] | None = None, **fields: Any) -> None:
        """Answer what was expected."""
        self._tell([3, self.open, (payload or {}) | fields])

    def error(self, code: str, description: str = "") -> None:
        """Answer what was expected by a CALLERROR."""
        self._tell([4, self.open, code, description, {}])

    def _tell(self, frame: list[Any]) -> None:
        self.socket.send(json.dumps(frame))

    def _frame(self, deadline: float, otherwise: str) -> list[Any]:
        try:
            frame: list[Any] = json.loads(self.socket.recv(max(deadline - time.monotonic(), 0)))
        except TimeoutError:
            raise AssertionError(otherwise) from None
        return frame


class Station16(Station):
    """Of OCPP 1.6."""

    protocol = "ocpp1.6"
    ASIDE: ClassVar[dict[str, Any]] = {"GetConfiguration": {"configurationKey": []}}

    def boot(self, **fields: Any) -> Any:
        payload = {"chargePointVendor": "Acme", "chargePointModel": "One", "firmwareVersion": "1.0"}
        return self.call("BootNotification", payload | fields)

    def status(self, status: str, connector: int = 1, **fields: Any) -> Any:
        payload = {"connectorId": connector, "status": status, "errorCode": "NoError", "timestamp": ago(0)}
        return self.call("StatusNotification", payload | fields)

    def start(self, tag: str, connector: int = 1, *, meter: int = 1000, **fields: Any) -> Any:
        """The whole answer."""
        payload = {"connectorId": connector, "idTag": tag, "meterStart": meter, "timestamp": ago(0)}
        return self.call("StartTransaction", payload | fields)

    def meter(self, transaction: int, wh: int, connector: int = 1, **fields: Any) -> Any:
        value = {"timestamp": fields.pop("at", ago(0)), "sampledValue": [{"value": str(wh), "unit": "Wh"}]}
        payload = {"connectorId": connector, "transactionId": transaction, "meterValue": [value]}
        return self.call("MeterValues", payload | fields)

    def stop(self, transaction: int, meter: int = 2000, **fields: Any) -> Any:
        return self.call("StopTransaction", {"transactionId": transaction, "meterStop": meter, "timestamp": ago(0)} | fields)


class Station201(Station):
    """Of OCPP 2.0.1."""

    protocol = "ocpp2.0.1"
    ASIDE: ClassVar[dict[str, Any]] = {
        "GetBaseReport": {"status": "NotSupported"},
        "GetDisplayMessages": {"status": "Unknown"},
        "GetReport": {"status": "NotSupported"},
        "GetMonitoringReport": {"status": "NotSupported"},
        "GetChargingProfiles": {"status": "NoProfiles"},
    }

    def boot(self, reason: str = "PowerUp", **station: Any) -> Any:
        about = {"vendorName": "Acme", "model": "Two", "firmwareVersion": "1.0"} | station
        return self.call("BootNotification", {"reason": reason, "chargingStation": about})

    def status(self, status: str, evse: int = 1, connector: int = 1, **fields: Any) -> Any:
        payload = {"timestamp": ago(0), "connectorStatus": status, "evseId": evse, "connectorId": connector}
        return self.call("StatusNotification", payload | fields)

    def authorize(self, token: str, kind: str = "ISO14443", **fields: Any) -> Any:
        """The idTokenInfo of the answer."""
        return self.call("Authorize", {"idToken": {"idToken": token, "type": kind}} | fields)["idTokenInfo"]

    def transaction(self, evse: int = 1, *, seconds_ago: float = 60, first: int = 0) -> "Events":
        """A transaction to be told of, event by event; the first is dated this long ago."""
        return Events(self, evse, seconds_ago, first)


class Events:
    """The TransactionEvents of one transaction, numbered and dated in order."""

    def __init__(self, station: Station201, evse: int, seconds_ago: float, first: int) -> None:
        self.station = station
        self.id = uuid.uuid4().hex
        self.evse = evse
        self.number = first - 1
        self.at = datetime.now(UTC) - timedelta(seconds=seconds_ago)

    def started(self, trigger: str, *, token: str = "", **fields: Any) -> Any:
        """It begins, at its EVSE."""
        return self.tell("Started", trigger, token=token, **{"evse": {"id": self.evse, "connectorId": 1}} | fields)

    def updated(self, trigger: str, **fields: Any) -> Any:
        return self.tell("Updated", trigger, **fields)

    def ended(self, trigger: str, reason: str = "", **fields: Any) -> Any:
        info = fields.pop("info", {}) | ({"stoppedReason": reason} if reason else {})
        return self.tell("Ended", trigger, info=info, **fields)

    def tell(
        self,
        part: str,
        trigger: str,
        *,
        token: str = "",
        state: str = "",
        wh: float | None = None,
        context: str = "",
        **fields: Any,
    ) -> Any:
        """An event; the answer. `info`: more of transactionInfo, `state` its chargingState, `wh` the register."""
        self.number += 1
        self.at += timedelta(seconds=1)
        at = fields.setdefault("timestamp", self.at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        info = {"transactionId": self.id} | fields.pop("info", {}) | ({"chargingState": state} if state else {})
        payload = {"eventType": part, "triggerReason": trigger, "seqNo": self.number, "transactionInfo": info}
        if token:
            payload["idToken"] = {"idToken": token, "type": fields.pop("kind", "ISO14443")}
        if wh is not None:
            payload["meterValue"] = [{"timestamp": at, "sampledValue": [{"value": wh} | ({"context": context} if context else {})]}]
        return self.station.call("TransactionEvent", payload | fields)
