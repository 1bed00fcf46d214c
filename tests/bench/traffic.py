"""What the bench's stations say: the mixes of 1.6 and 2.0.1, as ready-made websocket frames.

Of ten messages 2 are Heartbeats, 1 a StatusNotification, 6 meter values of four sampled values (MeterValues, or in 2.0.1
TransactionEvent Updated), and 1 alternately the start and the end of a transaction. The masking key is zero, which makes masking
free and is allowed.
"""

import struct
import time
from typing import Protocol

HEARTBEAT, STATUS, METERS, START, STOP = KINDS = range(5)

#: Twenty messages: one transaction with everything that is said while it runs.
CYCLE = (
    *(START, METERS, HEARTBEAT, METERS, METERS, STATUS, METERS, METERS, HEARTBEAT, METERS),
    *(METERS, HEARTBEAT, METERS, METERS, STATUS, METERS, METERS, HEARTBEAT, METERS, STOP),
)
FIRST_STATUS = CYCLE.index(STATUS)


class Speaker(Protocol):
    """Of a station what its messages need. `transaction` is the id of the one that runs, `said` the events it had."""

    tag: bytes
    place: int
    register_wh: int
    transaction: bytes | None
    said: int


class V16:
    """OCPP 1.6."""

    protocol = "ocpp1.6"
    names = ("Heartbeat", "StatusNotification", "MeterValues", "StartTransaction", "StopTransaction")
    #: Of which messages a sample is stored.
    sampled = (METERS,)

    STATUS = b'[2,"%d","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"%b","timestamp":"%b"}]'
    METERS = (
        b'[2,"%d","MeterValues",{"connectorId":1,"transactionId":%b,"meterValue":[{"timestamp":"%b","sampledValue":['
        b'{"value":"%d","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"},'
        b'{"value":"10980.5","context":"Sample.Periodic","measurand":"Power.Active.Import","unit":"W"},'
        b'{"value":"15.9","context":"Sample.Periodic","measurand":"Current.Import","unit":"A"},'
        b'{"value":"61","context":"Sample.Periodic","measurand":"SoC","unit":"Percent"}]}]}]'
    )
    START = b'[2,"%d","StartTransaction",{"connectorId":1,"idTag":"%b","meterStart":%d,"timestamp":"%b"}]'
    STOP = b'[2,"%d","StopTransaction",{"transactionId":%b,"idTag":"%b","meterStop":%d,"timestamp":"%b","reason":"Local"}]'

    @classmethod
    def call(cls, kind: int, number: int, station: Speaker, at: bytes) -> bytes:
        """The CALL with this number as its message id."""
        if kind == METERS:
            station.register_wh += 25
            return cls.METERS % (number, station.transaction, at, station.register_wh)
        if kind == HEARTBEAT:
            return b'[2,"%d","Heartbeat",{}]' % number
        if kind == STATUS:
            return cls.STATUS % (number, b"Charging" if station.place - 1 == FIRST_STATUS else b"SuspendedEV", at)
        if kind == START:
            return cls.START % (number, station.tag, station.register_wh, at)
        return cls.STOP % (number, station.transaction, station.tag, station.register_wh, at)

    @staticmethod
    def began(station: Speaker, answer: bytes) -> bytes:
        """The id of the transaction that the server has just acknowledged."""
        return answer.partition(b'"transactionId":')[2].partition(b",")[0].rstrip(b"}]")


class V201:
    """OCPP 2.0.1: stations name their transactions themselves."""

    protocol = "ocpp2.0.1"
    names = ("Heartbeat", "StatusNotification", "TransactionEvent Updated", "TransactionEvent Started", "TransactionEvent Ended")
    sampled = (METERS, START, STOP)

    STATUS = b'[2,"%d","StatusNotification",{"timestamp":"%b","connectorStatus":"%b","evseId":1,"connectorId":1}]'
    METERS = (
        b'[2,"%d","TransactionEvent",{"eventType":"Updated","timestamp":"%b","triggerReason":"MeterValuePeriodic","seqNo":%d,'
        b'"transactionInfo":{"transactionId":"%b","chargingState":"Charging"},"meterValue":[{"timestamp":"%b","sampledValue":['
        b'{"value":%d,"context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unitOfMeasure":{"unit":"Wh"}},'
        b'{"value":10980.5,"context":"Sample.Periodic","measurand":"Power.Active.Import","unitOfMeasure":{"unit":"W"}},'
        b'{"value":15.9,"context":"Sample.Periodic","measurand":"Current.Import","unitOfMeasure":{"unit":"A"}},'
        b'{"value":61,"context":"Sample.Periodic","measurand":"SoC","unitOfMeasure":{"unit":"Percent"}}]}]}]'
    )
    START = (
        b'[2,"%d","TransactionEvent",{"eventType":"Started","timestamp":"%b","triggerReason":"Authorized","seqNo":0,'
        b'"transactionInfo":{"transactionId":"%b","chargingState":"Charging"},"idToken":{"idToken":"%b","type":"ISO14443"},'
        b'"evse":{"id":1,"connectorId":1},"meterValue":[{"timestamp":"%b","sampledValue":['
        b'{"value":%d,"context":"Transaction.Begin","measurand":"Energy.Active.Import.Register","unitOfMeasure":{"unit":"Wh"}}]}]}]'
    )
    STOP = (
        b'[2,"%d","TransactionEvent",{"eventType":"Ended","timestamp":"%b","triggerReason":"StopAuthorized","seqNo":%d,'
        b'"transactionInfo":{"transactionId":"%b","chargingState":"Idle","stoppedReason":"Local"},'
        b'"idToken":{"idToken":"%b","type":"ISO14443"},"meterValue":[{"timestamp":"%b","sampledValue":['
        b'{"value":%d,"context":"Transaction.End","measurand":"Energy.Active.Import.Register","unitOfMeasure":{"unit":"Wh"}}]}]}]'
    )

    @classmethod
    def call(cls, kind: int, number: int, station: Speaker, at: bytes) -> bytes:
        if kind == HEARTBEAT:
            return b'[2,"%d","Heartbeat",{}]' % number
        if kind == STATUS:
            return cls.STATUS % (number, at, b"Occupied")
        station.said += 1
        if kind == METERS:
            station.register_wh += 25
            return cls.METERS % (number, at, station.said, station.transaction, at, station.register_wh)
        if kind == START:
            station.said = 0
            # Times are never the same twice.
            station.transaction = at.translate(None, b"-:.TZ")
            return cls.START % (number, at, station.transaction, station.tag, at, station.register_wh)
        return cls.STOP % (number, at, station.said, station.transaction, station.tag, at, station.register_wh)

    @staticmethod
    def began(station: Speaker, answer: bytes) -> bytes:
        assert station.transaction is not None
        return station.transaction


Mix = type[V16] | type[V201]
MIXES: dict[str, Mix] = {mix.protocol: mix for mix in (V16, V201)}


class Clock:
    """The time as RFC 3339 with microseconds, in bytes; never the same twice, since a sample is known by its time."""

    def __init__(self) -> None:
        self.second = 0
        self.prefix = b""
        self.last = 0

    def __call__(self) -> bytes:
        now = max(time.time_ns() // 1000, self.last + 1)
        self.last = now
        second, micro = divmod(now, 1_000_000)
        if second != self.second:
            self.second = second
            self.prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
        return b"%b.%06dZ" % (self.prefix, micro)


def frame(payload: bytes, opcode: int = 1) -> bytes:
    """A whole masked frame of a client."""
    if len(payload) < 126:
        return struct.pack("!BB4x", 0x80 | opcode, 0x80 | len(payload)) + payload
    return struct.pack("!BBH4x", 0x80 | opcode, 0x80 | 126, len(payload)) + payload
