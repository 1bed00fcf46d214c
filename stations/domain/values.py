"""The words of the domain: enumerations and small value types, in OCPP 2.x vocabulary, shared by every OCPP version."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Registration(StrEnum):
    """What a station's BootNotification is answered (OCPP 2.0.1 B01-B03)."""

    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


class ConnectorStatus(StrEnum):
    """A connector's state. 1.6's nine states; richer 2.x states are derived into the same list."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"
    #: 2.x says no more than that; what the transaction says refines it to one of the above before it is stored.
    OCCUPIED = "Occupied"


class AuthorizationStatus(StrEnum):
    """The outcome of an authorisation (OCPP 2.0.1 AuthorizationStatusEnumType; 1.6 knows the first five)."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    CONCURRENT_TX = "ConcurrentTx"
    UNKNOWN = "Unknown"
    NOT_AT_THIS_LOCATION = "NotAtThisLocation"
    NOT_ALLOWED_TYPE = "NotAllowedTypeEVSE"


class TransactionStatus(StrEnum):
    ACTIVE = "active"
    ENDED = "ended"


class Doubt(StrEnum):
    """Why a transaction's energy cannot be trusted yet; such a transaction is not billed until somebody looked at it."""

    NONE = ""
    START_MISSING = "start_missing"
    STOP_MISSING = "stop_missing"
    REGISTER = "register"
    EVENTS_MISSING = "events_missing"
    #: Its stop named no transaction that is known; it was given to the only one it fits.
    STOP_ATTACHED = "stop_attached"
    #: What the meter signed, and provably said, is another energy.
    SIGNED = "signed"
    #: Somebody looked at it and decided that it is never billed.
    SET_ASIDE = "set_aside"


class Reconstruction(StrEnum):
    """How a transaction's end or energy came about, if the station did not tell all of it."""

    NONE = ""
    #: The station has nothing more, though numbers are missing in between: both registers are known, and count.
    GAPS = "gaps"
    #: Ended by rule, since no stop came.
    RULE = "rule"
    #: Somebody looked at it and decided.
    PERSON = "person"


class Payer(StrEnum):
    """As whom somebody charges, as far as prices ask: what held when it was first known."""

    #: Begun before this was noted, or no id token was shown yet.
    UNSAID = ""
    AD_HOC = "ad_hoc"
    TAG = "tag"
    DRIVER = "driver"


class Trust(StrEnum):
    """How far a transaction's energy can be trusted."""

    MEASURED = "measured"
    RECONSTRUCTED = "reconstructed"
    DOUBTFUL = "doubtful"


#: With one of these a transaction waits for nobody: its energy is trusted, or it is known that it never will be.
DECIDED = (Doubt.NONE.value, Doubt.SET_ASIDE.value)


class ChargingState(StrEnum):
    """What energy does in a transaction (OCPP 2.0.1 ChargingStateEnumType)."""

    CHARGING = "Charging"
    EV_CONNECTED = "EVConnected"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    IDLE = "Idle"


class MessagePriority(StrEnum):
    """Which of its messages a display shows (OCPP 2.0.1 MessagePriorityEnumType): this one always, in turn with others like it, or
    in the usual cycle."""

    ALWAYS_FRONT = "AlwaysFront"
    IN_FRONT = "InFront"
    NORMAL_CYCLE = "NormalCycle"


class MessageState(StrEnum):
    """In which state of the station a message is shown (OCPP 2.0.1 MessageStateEnumType)."""

    CHARGING = "Charging"
    FAULTED = "Faulted"
    IDLE = "Idle"
    UNAVAILABLE = "Unavailable"


class MessageFormat(StrEnum):
    """What a message for a display is written in (OCPP 2.0.1 MessageFormatEnumType)."""

    ASCII = "ASCII"
    HTML = "HTML"
    URI = "URI"
    UTF8 = "UTF8"


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class FurtherToken:
    """What else a station read together with an id token; its type is agreed on by those who use it (2.x AdditionalInfoType)."""

    value: str
    type: str


@dataclass(frozen=True, slots=True)
class Token:
    """An id token as presented. `type` is None where the protocol has none (1.6). `further`: what came with it, which is kept and
    shown; tokens are compared by their value and type alone."""

    value: str
    type: str | None = None
    further: tuple[FurtherToken, ...] = ()

    @property
    def key(self) -> str:
        """The value as tokens are compared: without case (OCPP 1.6 CiString20, 2.0.1 C01)."""
        return self.value.upper()


@dataclass(frozen=True, slots=True)
class Wording:
    """A text for a display. `others`: the same in other languages."""

    content: str
    language: str = ""
    others: "tuple[Wording, ...]" = ()


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What a station is told about a token (1.6 idTagInfo, 2.x idTokenInfo). `message`: what its driver is told of the price;
    `priority`: of its charging, -9 to 9; `evses`: the only ones of the station where it may charge, empty: all; `language`: its
    driver's."""

    status: AuthorizationStatus
    expires_at: datetime | None = None
    group: str | None = None
    message: Wording | None = None
    priority: int | None = None
    evses: tuple[int, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True)
class CostExplained:
    """What a cost is made of: until when, at which register (Wh), what energy does ("Charging" or "Idle"), and what is paid for a
    kWh, an hour, the session, and an hour in which the vehicle is only parked (`kWhPrice`, `hourPrice`, `flatFee`, `idleHourPrice`:
    decimals as text, with tax)."""

    at: datetime
    meter_wh: Decimal | None
    state: str
    prices: dict[str, str]


@dataclass(frozen=True, slots=True)
class Signed:
    """What a meter signed, as it was sent: text of OCMF or another format, plain or encoded. The rest may be empty."""

    data: str
    method: str = ""
    encoding: str = ""
    public_key: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything a meter said at one moment in one context.

    Energy is the register's value in Wh (a counter, never a difference), power is in W, both over all phases; current in A is
    that of the most loaded phase, `current_sum_a` the sum of phases that are told one by one, voltage in V their mean;
    `extra` holds what has no column, keyed "Measurand/Phase@Location" (location Outlet left out), as sent with its unit;
    `signed` what the meter signed of this moment.
    """

    at: datetime
    context: str = "Sample.Periodic"
    energy_wh: Decimal | None = None
    power_w: Decimal | None = None
    current_a: Decimal | None = None
    current_sum_a: Decimal | None = None
    voltage_v: Decimal | None = None
    soc_percent: Decimal | None = None
    extra: dict[str, str] = field(default_factory=dict)
    signed: tuple[Signed, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a message that is not as it should be, noticed while it was read. Becomes a finding.

    `code` is a stable slug, `subject` what it is about (a field's path, a connector), `detail` a sentence for a person.
    """

    code: str
    subject: str = ""
    detail: str = ""
    severity: Severity = Severity.INFO
