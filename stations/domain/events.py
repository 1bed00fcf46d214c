"""What a station can tell us, and what it is answered: one frozen dataclass each, in the past tense.

Together with `commands.py` (what we can ask of a station) this is the product's table of contents. An event never carries
a wire name, an OCPP version or a database key. Every event names its reply type; `stations.services.handle` maps each event
to the one rule that acts on it.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from stations.domain.values import ConnectorStatus, Reading, Registration, Token, TokenInfo


@dataclass(frozen=True, slots=True)
class Reply:
    """Base of all replies."""


@dataclass(frozen=True, slots=True)
class Done(Reply):
    """Heard; nothing to say."""


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""

    reply: ClassVar[type[Reply]] = Done


@dataclass(frozen=True, slots=True)
class BootAnswered(Reply):
    """`interval_s` is the heartbeat interval when accepted, else how long to wait before booting again, in seconds."""

    status: Registration
    current_time: datetime
    interval_s: int


@dataclass(frozen=True, slots=True)
class StationBooted(Event):
    """The station started, or wants to be registered (OCPP 2.0.1 B01, 1.6 4.2)."""

    vendor: str
    model: str
    serial_number: str = ""
    firmware_version: str = ""
    iccid: str = ""
    imsi: str = ""
    meter_type: str = ""
    meter_serial_number: str = ""
    reply: ClassVar[type[Reply]] = BootAnswered


@dataclass(frozen=True, slots=True)
class TimeTold(Reply):
    current_time: datetime


@dataclass(frozen=True, slots=True)
class HeartbeatReceived(Event):
    """The station is alive and asks for the time (OCPP 2.0.1 G02)."""

    reply: ClassVar[type[Reply]] = TimeTold


@dataclass(frozen=True, slots=True)
class TokenAnswered(Reply):
    info: TokenInfo


@dataclass(frozen=True, slots=True)
class TokenPresented(Event):
    """A driver presented a token; may it charge? Never makes a transaction (OCPP 2.0.1 C01)."""

    token: Token
    reply: ClassVar[type[Reply]] = TokenAnswered


@dataclass(frozen=True, slots=True)
class ConnectorStatusReported(Event):
    """A connector's state (OCPP 2.0.1 G01). `evse` 0 is the station as a whole. `at` is None where the station gave no time."""

    evse: int
    connector: int
    status: ConnectorStatus
    at: datetime | None = None
    error_code: str = ""
    info: str = ""
    vendor_id: str = ""
    vendor_error_code: str = ""


@dataclass(frozen=True, slots=True)
class TransactionStartAnswered(Reply):
    transaction_id: str
    info: TokenInfo


@dataclass(frozen=True, slots=True)
class TransactionStarted(Event):
    """A transaction began. `transaction_id` is None where the CSMS gives the id (1.6)."""

    evse: int
    connector: int
    at: datetime
    token: Token | None
    meter_start_wh: Decimal | None
    transaction_id: str | None = None
    reservation_id: int | None = None
    reply: ClassVar[type[Reply]] = TransactionStartAnswered


@dataclass(frozen=True, slots=True)
class MetersSampled(Event):
    """Meter readings. `evse` 0 is the station's main meter; `transaction_id` is None when they belong to none or to one unknown."""

    evse: int
    readings: tuple[Reading, ...]
    transaction_id: str | None = None


@dataclass(frozen=True, slots=True)
class TransactionEndAnswered(Reply):
    """`info` only when the message carried a token."""

    info: TokenInfo | None


@dataclass(frozen=True, slots=True)
class TransactionEnded(Event):
    """A transaction ended, whatever it was that the station thinks of it: never refused (OCPP 2.0.1 E06, 1.6 4.10)."""

    transaction_id: str | None
    at: datetime
    meter_stop_wh: Decimal | None
    reason: str = "Local"
    token: Token | None = None
    readings: tuple[Reading, ...] = ()
    reply: ClassVar[type[Reply]] = TransactionEndAnswered


class VendorStatus(StrEnum):
    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    UNKNOWN_MESSAGE = "UnknownMessageId"
    UNKNOWN_VENDOR = "UnknownVendorId"


@dataclass(frozen=True, slots=True)
class VendorAnswered(Reply):
    status: VendorStatus
    data: str | None = None


@dataclass(frozen=True, slots=True)
class VendorMessageReceived(Event):
    """A message outside the standard (DataTransfer, OCPP 2.0.1 P01)."""

    vendor_id: str
    message_id: str | None = None
    data: str | None = None
    reply: ClassVar[type[Reply]] = VendorAnswered
