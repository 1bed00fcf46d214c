"""A charging profile: how much power may be drawn, when, and what it holds for (OCPP 2.0.1 chapter K, 1.6 3.13).

Profiles travel as plain objects (`Profile.of`, `plain`), so that one is a parameter of a command, a column and a body alike.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any, Self

from stations.domain.command import BadCommand, need_number, need_one_of, need_text

STATION_MAX, TX_DEFAULT, TX = "ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile"
#: What others than us demand of the station, such as the grid's operator. Never ours to set or to clear.
EXTERNAL = "ChargingStationExternalConstraints"
PURPOSES = (STATION_MAX, TX_DEFAULT, TX)
KINDS = ("Absolute", "Recurring", "Relative")
RECURRENCIES = {"Daily": 86_400, "Weekly": 604_800}
UNITS = ("A", "W")
#: Who limits a station (OCPP 2.0.1 ChargingLimitSourceEnumType); CSO is us.
SOURCES = ("CSO", "EMS", "SO", "Other")
INT32 = 2**31 - 1
#: Of one schedule (OCPP 2.0.1 ChargingScheduleType), of one profile (ChargingProfileType), and what nothing exceeds.
MOST_PERIODS, MOST_SCHEDULES, HIGHEST_LIMIT = 1024, 3, 10_000_000
LONGEST_S = 366 * 86_400


@dataclass(frozen=True, slots=True)
class Period:
    """From `start_s` seconds after its schedule's start on: at most `limit` A per phase or W in all."""

    start_s: int
    limit: Decimal
    phases: int | None = None
    phase_to_use: int | None = None

    def plain(self) -> dict[str, Any]:
        more = {"phases": self.phases, "phase_to_use": self.phase_to_use}
        return {"start_s": self.start_s, "limit": number(self.limit)} | {k: v for k, v in more.items() if v is not None}


@dataclass(frozen=True, slots=True)
class Schedule:
    """`start` None: it begins with the transaction. `duration_s` None: the last period has no end."""

    unit: str
    periods: tuple[Period, ...]
    start: datetime | None = None
    duration_s: int | None = None
    min_rate: Decimal | None = None
    id: int = 1

    @classmethod
    def of(cls, body: Any, *, strict: bool = True) -> Self:
        """Raises BadCommand. `strict`: as we may send it; a station's own is read as it is."""
        fields = _fields("a schedule", body, ("unit", "periods", "start", "duration_s", "min_rate", "id"))
        need_one_of("unit", fields.get("unit"), UNITS)
        listed = fields.get("periods")
        if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_PERIODS:
            raise BadCommand("periods must be a list of 1 to %(most)s periods.", most=MOST_PERIODS)
        periods = tuple(_period(one, strict) for one in listed)
        duration = fields.get("duration_s")
        if duration is not None:
            need_number("duration_s", duration, 0, LONGEST_S)
        rate = fields.get("min_rate")
        made = cls(
            fields["unit"],
            periods,
            _time("start", fields.get("start")),
            duration,
            None if rate is None else _decimal("min_rate", rate),
            fields.get("id", 1),
        )
        need_number("id", made.id, 0, INT32)
        if strict:
            made.check()
        return made

    def check(self) -> None:
        # The first period begins with the schedule (OCPP 2.0.1 ChargingSchedulePeriodType, 1.6 7.14).
        if self.periods[0].start_s != 0:
            raise BadCommand("The first period must begin at 0 (start_s), not at %(start)s.", start=self.periods[0].start_s)
        starts = [one.start_s for one in self.periods]
        if any(later <= earlier for earlier, later in pairwise(starts)):
            raise BadCommand("The periods must be in order: each start_s greater than the one before.")
        if self.duration_s is not None and starts[-1] >= max(self.duration_s, 1):
            raise BadCommand("The schedule ends after %(duration)s s, before its last period begins.", duration=self.duration_s)

    def plain(self) -> dict[str, Any]:
        more = {
            "start": None if self.start is None else written(self.start),
            "duration_s": self.duration_s,
            "min_rate": None if self.min_rate is None else number(self.min_rate),
            "id": None if self.id == 1 else self.id,
        }
        return {"unit": self.unit, "periods": [one.plain() for one in self.periods]} | {
            name: value for name, value in more.items() if value is not None
        }


@dataclass(frozen=True, slots=True)
class Profile:
    """`id` None: not given yet. `transaction`: its id in OCPP, of a TxProfile."""

    purpose: str
    kind: str
    stack_level: int
    schedules: tuple[Schedule, ...]
    id: int | None = None
    recurrency: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction: str | None = None

    @classmethod
    def of(cls, body: Any, *, strict: bool = True) -> Self:
        """Raises BadCommand. `strict`: as we may send it; a station's own is read as it is."""
        known = ("purpose", "kind", "stack_level", "schedules", "id", "recurrency", "valid_from", "valid_to", "transaction")
        fields = _fields("a profile", body, known)
        purposes = PURPOSES if strict else (*PURPOSES, EXTERNAL)
        if strict and fields.get("purpose") == EXTERNAL:
            raise BadCommand("%(purpose)s come from others than us: a station is never sent them.", purpose=EXTERNAL)
        need_one_of("purpose", fields.get("purpose"), purposes)
        need_one_of("kind", fields.get("kind"), KINDS)
        need_number("stack_level", fields.get("stack_level"), 0, INT32)
        listed = fields.get("schedules")
        if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_SCHEDULES:
            raise BadCommand("schedules must be a list of 1 to %(most)s schedules.", most=MOST_SCHEDULES)
        if fields.get("id") is not None:
            need_number("id", fields["id"], 1 if strict else -INT32 - 1, INT32)
        if fields.get("recurrency") is not None:
            need_one_of("recurrency", fields["recurrency"], tuple(RECURRENCIES))
        if fields.get("transaction") is not None:
            need_text("transaction", fields["transaction"], 36)
        made = cls(
            fields["purpose"],
            fields["kind"],
            fields["stack_level"],
            tuple(Schedule.of(one, strict=strict) for one in listed),
            fields.get("id"),
            fields.get("recurrency"),
            _time("valid_from", fields.get("valid_from")),
            _time("valid_to", fields.get("valid_to")),
            fields.get("transaction"),
        )
        if strict:
            made.check()
        return made

    def check(self) -> None:
        """Whether the parts go together (OCPP 2.0.1 K01, 1.6 3.13)."""
        if self.kind == "Recurring" and self.recurrency is None:
            raise BadCommand("A Recurring profile needs its recurrency: Daily or Weekly.")
        if self.kind != "Recurring" and self.recurrency is not None:
            raise BadCommand("Only a Recurring profile has a recurrency; this one is %(kind)s.", kind=self.kind)
        for schedule in self.schedules:
            if self.kind == "Relative" and schedule.start is not None:
                raise BadCommand("A Relative profile begins with the session: leave out its start.")
            if self.kind != "Relative" and schedule.start is None:
                raise BadCommand("A profile that is %(kind)s needs a start.", kind=self.kind)
        if self.purpose == STATION_MAX and self.kind == "Relative":
            raise BadCommand("The limit of a whole station cannot be Relative: it belongs to no session.")
        if self.purpose != TX and self.transaction is not None:
            raise BadCommand("Only a TxProfile has a transaction.")
        if self.purpose != TX and len(self.schedules) > 1:
            raise BadCommand("Only a TxProfile may offer several schedules to choose from.")
        if self.valid_from and self.valid_to and self.valid_from >= self.valid_to:
            raise BadCommand("valid_to must be after valid_from.")

    def check_place(self, evse: int) -> None:
        """Whether it may be sent to this EVSE (0: the whole station)."""
        if self.purpose == STATION_MAX and evse != 0:
            raise BadCommand("The limit of a whole station is set at EVSE 0.")
        if self.purpose == TX and evse == 0:
            raise BadCommand("A TxProfile is for one session: name its EVSE.")

    def plain(self) -> dict[str, Any]:
        more = {
            "id": self.id,
            "recurrency": self.recurrency,
            "valid_from": None if self.valid_from is None else written(self.valid_from),
            "valid_to": None if self.valid_to is None else written(self.valid_to),
            "transaction": self.transaction,
        }
        return {
            "purpose": self.purpose,
            "kind": self.kind,
            "stack_level": self.stack_level,
            "schedules": [one.plain() for one in self.schedules],
        } | {name: value for name, value in more.items() if value is not None}

    def with_id(self, pk: int, transaction: str | None = None) -> "Profile":
        return replace(self, id=pk, transaction=transaction or self.transaction)

    def overlaps(self, other: "Profile") -> bool:
        """Whether there is a time at which both are valid."""
        starts_late = self.valid_from and other.valid_to and self.valid_from >= other.valid_to
        return not (starts_late or (other.valid_from and self.valid_to and other.valid_from >= self.valid_to))


def same(one: dict[str, Any] | None, other: dict[str, Any] | None) -> bool:
    """Whether two plain profiles limit alike. A transaction's id and a schedule's are not told by all stations."""
    if one is None or other is None:
        return one is other
    return bool(_essence(one) == _essence(other))


def _essence(body: dict[str, Any]) -> Any:
    try:
        profile = Profile.of(body, strict=False)
    except BadCommand:
        return body
    schedules = tuple(
        replace(one, id=1, periods=tuple(replace(p, phases=p.phases or 3) for p in one.periods)) for one in profile.schedules
    )
    return replace(profile, schedules=schedules, transaction=None)


def number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def written(at: datetime) -> str:
    return f"{at.astimezone(UTC).isoformat(timespec='seconds')[:19]}Z"


def _fields(what: str, body: Any, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise BadCommand("%(what)s must be an object with %(known)s.", what=what, known=", ".join(known))
    if unknown := body.keys() - set(known):
        raise BadCommand(
            "%(what)s has no %(unknown)s; it has %(known)s.",
            what=what,
            unknown=", ".join(sorted(map(str, unknown)))[:100],
            known=", ".join(known),
        )
    return body


def _period(body: Any, strict: bool) -> Period:
    fields = _fields("a period", body, ("start_s", "limit", "phases", "phase_to_use"))
    need_number("start_s", fields.get("start_s"), 0 if strict else -INT32, INT32)
    limit = _decimal("limit", fields.get("limit"))
    # One decimal is what stations take (OCPP 1.6 7.14, 2.0.1 ChargingSchedulePeriodType).
    if strict and limit != limit.quantize(Decimal("0.1")):
        raise BadCommand("A limit has one decimal at most: %(limit)s.", limit=limit)
    phases, phase = fields.get("phases"), fields.get("phase_to_use")
    if phases is not None:
        need_number("phases", phases, 1 if strict else 0, 3)
    if phase is not None:
        need_number("phase_to_use", phase, 1, 3)
        if strict and phases != 1:
            # OCPP 2.0.1 ChargingSchedulePeriodType.
            raise BadCommand("phase_to_use goes with phases 1 only.")
    return Period(fields["start_s"], limit, phases, phase)


def _decimal(name: str, value: Any) -> Decimal:
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise InvalidOperation
        found = Decimal(str(value))
        if not found.is_finite() or not 0 <= found <= HIGHEST_LIMIT:
            raise InvalidOperation
    except InvalidOperation:
        raise BadCommand("%(name)s must be a number from 0 to %(most)s.", name=name, most=HIGHEST_LIMIT) from None
    return found


def _time(name: str, text: Any) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError
        return at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise BadCommand("%(name)s must be a time with its zone, such as 2030-01-31T02:00:00Z.", name=name) from None
