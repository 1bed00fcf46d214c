"""What the core needs from outside, declared here and filled literally at import by `csms` and `billing`.

The core rings bells and asks prices; it never imports who answers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from stations.cases import Case

if TYPE_CHECKING:
    from stations.flush import Cursor
    from stations.models import CertificateRequest, Transaction


class Bell(Protocol):
    """Rung after a commit. Only makes things faster: whoever misses it finds the truth in the rows. Must never block or raise."""

    def changed(self, operator_id: int, *, stations: Iterable[int], transactions: Iterable[int]) -> None:
        """Rows that live pages show have changed (primary keys)."""

    def work(self, subscriber: str) -> None:
        """The outbox holds something for this subscriber."""

    def command(self, station_id: int) -> None:
        """A command is queued for this station."""

    def fenced(self, station_id: int, fence: int) -> None:
        """A newer socket speaks for this station: whoever holds one with a smaller fence closes it."""


class Silence:
    """The bell of a process that nobody listens to (a shell, a unit test)."""

    def changed(self, operator_id: int, *, stations: Iterable[int], transactions: Iterable[int]) -> None: ...

    def work(self, subscriber: str) -> None: ...

    def command(self, station_id: int) -> None: ...

    def fenced(self, station_id: int, fence: int) -> None: ...


bell: Bell = Silence()


class Files(Protocol):
    """Files that stations fetch from us or send to us, at one-time addresses."""

    def credential(self) -> tuple[str, str]:
        """A new secret for an address, and the hash of it that a row keeps."""

    def address(self, folder: str, token: str, name: str = "") -> str:
        """What a station is told: the URL of a file in "logs" or "firmware"."""

    def new_path(self, folder: str, operator_id: int) -> str:
        """Where a new file shall lie: what its row keeps."""

    def delete(self, paths: Iterable[str]) -> None:
        """Delete files, after the commit that took their rows."""

    def older(self, folder: str, before: datetime) -> Iterable[str]:
        """The paths of a folder at which something lies that was last written before this."""


#: Filled by `csms`; without it there are no files.
files: Files


class Box(Protocol):
    """Seals what a station is to be told and nobody else may read, until it is said."""

    def seal(self, text: str) -> str:
        """As it may lie in a table."""

    def unseal(self, sealed: str) -> str | None:
        """What was sealed; None if the keys for it are gone, or it never was."""


#: Filled by `csms`.
box: Box


def no_price(transactions: "Iterable[Transaction]") -> dict[int, tuple[Decimal, str]]:
    """The price of nothing: no app that knows prices is installed."""
    return {}


#: Primary key of a transaction to what it has cost so far (with tax) and the currency. Filled by `billing`.
running_cost: "Callable[[Iterable[Transaction]], dict[int, tuple[Decimal, str]]]" = no_price


@dataclass(frozen=True, slots=True)
class SoFar:
    """What is known of a session until a moment. `course`: moments in between, in their order, the energy (Wh) since the start by
    then, and the current (A), where it is known. `power_w`: that of now, where it is known. `charging_ended_at`: since when the
    vehicle is only parked. `reserved_at`: since when the plug was kept for it."""

    started_at: datetime
    until: datetime
    energy_wh: Decimal
    time_zone: str
    course: Sequence[tuple[datetime, Decimal, Decimal | None]] = ()
    power_w: Decimal | None = None
    charging_ended_at: datetime | None = None
    reserved_at: datetime | None = None


class Prices(Protocol):
    """What charging costs in one case, with tax. `needs_course`: it matters when energy flowed, not only how much; `by_power`: and
    how fast, so that every reading counts."""

    currency: str
    needs_course: bool
    by_power: bool

    def cost(self, session: SoFar) -> Decimal | None:
        """What a session costs until then. None: the price of some hour is not known, or the current that it goes by."""

    def parts(self, session: SoFar) -> dict[str, Decimal]:
        """What a kWh, an hour and the session cost at that moment, if not nothing, by the names kWhPrice, hourPrice and
        flatFee; and an hour in which the vehicle is only parked (idleHourPrice)."""

    def sentence(self, language: str) -> str:
        """The price as a driver reads it."""


class PriceBook(Protocol):
    """The prices of an operator."""

    def prices(self, case: Case) -> Prices | None:
        """Those that hold in a case. None: the operator has not said what it costs."""


def no_prices(cursor: "Cursor", operators: Iterable[int]) -> Mapping[int, PriceBook]:
    return {}


#: The prices of operators, by primary key, in one small statement, and some more when they have changed. Filled by `billing`.
prices: "Callable[[Cursor, Iterable[int]], Mapping[int, PriceBook]]" = no_prices


def no_bill(transaction_id: int) -> bool:
    """Nothing is billed: no app that bills is installed."""
    return False


#: Whether a transaction (by its primary key) has been billed, so that it must not change any more. Filled by `billing`.
billed: Callable[[int], bool] = no_bill


def no_adjustments(protocol: str, adjustments: object) -> list[dict[str, Any]]:
    """Nothing can be adjusted: no edge is installed that speaks to stations."""
    return []


#: What a quirk does about stations, checked against what can be done in that protocol ("" for any): raises ValidationError. Filled
#: by `csms`.
check_adjustments: Callable[[str, object], list[dict[str, Any]]] = no_adjustments


class NotSigned(Exception):
    """A certificate authority refuses a request. The message says why."""


#: Makes the certificate that a station asks for: its chain in PEM, the station's own first. Raises NotSigned. None: there is no
#: certificate authority. Filled by `csms`.
sign: "Callable[[CertificateRequest], str] | None" = None


def nothing_sayable(protocol: str) -> set[str]:
    """No edge is installed that speaks to stations."""
    return set()


#: The kinds of commands that a protocol has words for; of an unknown one, all that any has. Filled by `csms`.
sayable: Callable[[str], set[str]] = nothing_sayable
