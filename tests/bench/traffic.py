"""What the bench's stations say: the 1.6 mix, as ready-made websocket frames.

Of ten messages 2 are Heartbeats, 1 a StatusNotification, 6 MeterValues with four sampled values, and 1 alternately a
StartTransaction and a StopTransaction. The masking key is zero, which makes masking free and is allowed.
"""

import struct
import time

HEARTBEAT, STATUS, METER_VALUES, START, STOP = range(5)
NAMES = ("Heartbeat", "StatusNotification", "MeterValues", "StartTransaction", "StopTransaction")

#: Twenty messages: one transaction with everything that is said while it runs.
CYCLE = (
    *(START, METER_VALUES, HEARTBEAT, METER_VALUES, METER_VALUES, STATUS, METER_VALUES, METER_VALUES, HEARTBEAT, METER_VALUES),
    *(METER_VALUES, HEARTBEAT, METER_VALUES, METER_VALUES, STATUS, METER_VALUES, METER_VALUES, HEARTBEAT, METER_VALUES, STOP),
)
#: By place in the cycle.
STATUSES = {5: b"Charging", 14: b"SuspendedEV"}

STATUS_CALL = b'[2,"%d","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"%b","timestamp":"%b"}]'
METER_VALUES_CALL = (
    b'[2,"%d","MeterValues",{"connectorId":1,"transactionId":%d,"meterValue":[{"timestamp":"%b","sampledValue":['
    b'{"value":"%d","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"},'
    b'{"value":"10980.5","context":"Sample.Periodic","measurand":"Power.Active.Import","unit":"W"},'
    b'{"value":"15.9","context":"Sample.Periodic","measurand":"Current.Import","unit":"A"},'
    b'{"value":"61","context":"Sample.Periodic","measurand":"SoC","unit":"Percent"}]}]}]'
)
START_CALL = b'[2,"%d","StartTransaction",{"connectorId":1,"idTag":"%b","meterStart":%d,"timestamp":"%b"}]'
STOP_CALL = b'[2,"%d","StopTransaction",{"transactionId":%d,"idTag":"%b","meterStop":%d,"timestamp":"%b","reason":"Local"}]'


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
