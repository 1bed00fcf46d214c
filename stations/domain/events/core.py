"""The events of every station: boots, heartbeats, states, tokens, transactions, meters, settings, firmware, logs."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from stations.domain.certificates import CertificateHash
from stations.domain.command import VariableReport
from stations.domain.event import Event, Reply
from stations.domain.values import ChargingState, ConnectorStatus, CostExplained, Reading, Registration, Token, TokenInfo, Wording


@dataclass(frozen=True, slots=True)
class BootAnswered(Reply):
    """`interval_s` is the heartbeat interval when accepted, else how long to wait before booting again, in seconds."""

    status: Registration
    current_time: datetime
    interval_s: int


@dataclass(frozen=True, slots=True)
class StationBooted(Event):
    """The station started, or wants to be registered (OCPP 2.0.1 B01, 1.6 4.2).

    `box_serial_number` is the second one that 1.6 has; `reason` why it started (2.0.1 BootReasonEnumType).
    """

    vendor: str
    model: str
    serial_number: str = ""
    firmware_version: str = ""
    iccid: str = ""
    imsi: str = ""
    meter_type: str = ""
    meter_serial_number: str = ""
    box_serial_number: str = ""
    reason: str = ""
    #: It tells of its settings by reports (OCPP 2.0.1 B07), so that all of them can be asked for.
    reports: bool = False
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
    """`certificate_status`: what came of a contract's certificate that was presented (2.0.1 AuthorizeCertificateStatusEnumType)."""

    info: TokenInfo
    certificate_status: str = ""


@dataclass(frozen=True, slots=True)
class TokenPresented(Event):
    """A driver presented a token; may it charge? Never makes a transaction (OCPP 2.0.1 C01).

    Of a vehicle's contract (Plug & Charge) the `certificate` with its chain in PEM, or the hashes of those that the station has
    checked itself, to be asked whether they were revoked.
    """

    token: Token
    certificate: str = ""
    certificate_hashes: tuple[CertificateHash, ...] = ()
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


class Progress(StrEnum):
    """Which part of a transaction an event tells of (OCPP 2.0.1 TransactionEventEnumType)."""

    STARTED = "Started"
    UPDATED = "Updated"
    ENDED = "Ended"


@dataclass(frozen=True, slots=True)
class TransactionProgressAnswered(Reply):
    """`info` only when the message carried a token. `cost`: so far, or of all of it once it has ended, with tax; None: unknown.
    `explained` goes with the cost to stations that know the cost messages. `message`: a price that has changed meanwhile."""

    info: TokenInfo | None
    cost: Decimal | None = None
    explained: CostExplained | None = None
    message: Wording | None = None


@dataclass(frozen=True, slots=True)
class TransactionProgressed(Event):
    """A transaction began, went on or ended, told by numbered events that may come in any order, twice, or not at all.

    What an event does not say (None) is unchanged (OCPP 2.0.1 E01-E15). `offline`: it happened while the station was offline.
    `phases_used`: of the grid, by the vehicle; `cable_max_current_a`: what its cable carries; `time_spent_charging_s`: while energy
    flowed, so far.
    """

    part: Progress
    transaction_id: str
    sequence: int
    at: datetime
    trigger: str
    evse: int | None = None
    connector: int | None = None
    token: Token | None = None
    offline: bool = False
    charging_state: ChargingState | None = None
    stopped_reason: str | None = None
    remote_start_id: int | None = None
    reservation_id: int | None = None
    phases_used: int | None = None
    cable_max_current_a: int | None = None
    time_spent_charging_s: int | None = None
    readings: tuple[Reading, ...] = ()
    reply: ClassVar[type[Reply]] = TransactionProgressAnswered


@dataclass(frozen=True, slots=True)
class VariablesReported(Event):
    """A page of a report of settings (OCPP 2.0.1 B07-B08). `last`: it is the last one by its number; others may come after it."""

    request_id: int
    sequence: int
    last: bool
    reports: tuple[VariableReport, ...]


@dataclass(frozen=True, slots=True)
class FirmwareStatusReported(Event):
    """How far a firmware update is (OCPP 2.0.1 L01, 1.6 4.5)."""

    status: str
    request_id: int | None = None


@dataclass(frozen=True, slots=True)
class LogStatusReported(Event):
    """How far the upload of a log or of diagnostics is (OCPP 2.0.1 N01, 1.6 4.4)."""

    status: str
    request_id: int | None = None


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
    """A message outside the standard (DataTransfer, OCPP 2.0.1 P01). `status`: what is to be said of one that nobody reads."""

    vendor_id: str
    message_id: str | None = None
    data: str | None = None
    status: VendorStatus = VendorStatus.UNKNOWN_VENDOR
    reply: ClassVar[type[Reply]] = VendorAnswered
