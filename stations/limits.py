"""What limits stations, read from the tables: the profiles they hold, what others demand, and the sessions that run."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import psycopg
from django.db import connection

from stations.domain import hardware
from stations.domain.chargingprofiles import EXTERNAL, TX, Profile, Schedule
from stations.domain.command import BadCommand
from stations.domain.composite import VOLTS, Held, Limits, Session
from stations.flush import Cursor, beside

#: How long a profile that went with a start waits for its session, and by how much clocks differ.
STARTS_WITHIN, CLOCKS_DIFFER = timedelta(minutes=5), timedelta(seconds=60)

PROFILES = """
SELECT station_id, evse_number, source, coalesce(wanted, reported), ocpp_transaction_id, remote_start_id,
       coalesce(set_at, reported_at), profile_id
FROM stations_chargingprofile WHERE station_id = ANY(%s) ORDER BY id LIMIT 100000
"""
#: What stations are asked to hold and have not answered, in the order in which it reaches them.
COMING = """
SELECT station_id, id, (params->>'evse')::int, coalesce(facts->'fixed'->'profile', params->'profile'), created_at
FROM stations_command
WHERE station_id = ANY(%s) AND kind = 'set_charging_profile' AND status IN ('queued', 'sent', 'accepted') ORDER BY id
"""
OTHERS = """
SELECT station_id, evse_number, schedules, reported_at FROM stations_charginglimit
WHERE station_id = ANY(%s) AND cleared_at IS NULL
"""
SESSIONS = """
SELECT t.station_id, e.number, t.ocpp_transaction_id, t.started_at, t.remote_start_id
FROM stations_transaction t JOIN stations_evse e ON e.id = t.evse_id WHERE t.station_id = ANY(%s) AND t.status = 'active'
"""
EVSES = "SELECT station_id, number FROM stations_evse WHERE station_id = ANY(%s)"
HARDWARE = """
SELECT station_id, component, evse_number, variable, attribute, value, unit, highest FROM stations_variable
WHERE station_id = ANY(%s) AND variable = ANY(%s) AND known AND component <> ''
"""
#: The last that was measured lately, of each: one look into an index.
MEASURED = """
SELECT s.id, m.voltage_v FROM unnest(%s::bigint[]) AS s(id) CROSS JOIN LATERAL (
    SELECT voltage_v FROM (
        SELECT voltage_v, at FROM stations_metersample
        WHERE station_id = s.id AND at > now() - interval '7 days' ORDER BY at DESC LIMIT 20) newest
    WHERE voltage_v BETWEEN %s AND %s ORDER BY at DESC LIMIT 1) m
"""
OFFERED = (
    "SELECT station_id, evse_number, offered_at FROM stations_evchargingneeds WHERE station_id = ANY(%s) AND offered_at IS NOT NULL"
)


#: Where stations say what they take: component, variable and instance, to what we call it.
SAID_AS = {
    ("", "ChargeProfileMaxStackLevel", ""): "stack",
    ("SmartChargingCtrlr", "ProfileStackLevel", ""): "stack",
    ("", "ChargingScheduleMaxPeriods", ""): "periods",
    ("SmartChargingCtrlr", "PeriodsPerSchedule", ""): "periods",
    ("", "MaxChargingProfilesInstalled", ""): "profiles",
    ("SmartChargingCtrlr", "Entries", "ChargingProfiles"): "profiles",
    ("", "ChargingScheduleAllowedChargingRateUnit", ""): "units",
    ("SmartChargingCtrlr", "RateUnit", ""): "units",
    ("SmartChargingCtrlr", "Enabled", ""): "enabled",
    ("SmartChargingCtrlr", "ACPhaseSwitchingSupported", ""): "switching",
}
UNITS = {"current": "A", "a": "A", "power": "W", "w": "W"}
SAID = """
SELECT station_id, component, variable, variable_instance, attribute, value, highest FROM stations_variable
WHERE station_id = ANY(%s) AND variable = ANY(%s) AND attribute IN ('Actual', 'MaxSet') AND known AND value IS NOT NULL
ORDER BY reported_at
"""


@dataclass(frozen=True, slots=True)
class Coming:
    """A profile that is on its way to a station, by the command of this key."""

    command: int
    evse: int
    body: dict[str, Any]
    since: datetime

    @property
    def id(self) -> int:
        return int(self.body["id"])


@dataclass(slots=True)
class Known:
    """`offered`: by EVSE, when the car there was last offered a schedule. `said`: what the station takes, by our names. `ours`: the
    ids of the profiles that we set there, whether they count now or not; `coming`: by id, those on their way, None where one will
    not count."""

    limits: Limits
    offered: dict[int, datetime] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    ours: set[int] = field(default_factory=set)
    coming: dict[int, Held | None] = field(default_factory=dict)

    def then(self) -> "Known":
        """The same once the station has taken what is on its way there: of an id the newest counts."""
        others = (one for one in self.limits.held if one.profile.purpose == EXTERNAL or one.profile.id not in self.coming)
        held = (*others, *(one for one in self.coming.values() if one is not None))
        return replace(self, limits=replace(self.limits, held=held), ours={*self.ours, *self.coming}, coming={})


def meant(
    component: str, variable: str, instance: str, attribute: str, value: str, highest: float | None
) -> tuple[str, str] | None:
    """What a setting says that a station takes: our name of it, and the value. None: nothing of that kind."""
    name = SAID_AS.get((component, variable, instance))
    if variable == "Entries" and attribute == "Actual":
        # Its value is how many there are; how many there may be is the highest that is allowed.
        value = "" if highest is None else f"{highest:.0f}"
    elif attribute != "Actual" and variable != "Entries":
        return None
    return (name, value) if name and value else None


def full(said: dict[str, str], held: Collection[int], number: int | None) -> int | None:
    """How many profiles a station holds at most, if it holds them (`held`: their ids), and `number` would be one more (OCPP 2.0.1
    SmartChargingCtrlr.Entries, 1.6 MaxChargingProfilesInstalled). None: it has room, or never said."""
    most = whole(said.get("profiles"))
    return most if most is not None and number not in held and len(held) >= most else None


def units_of(said: dict[str, str]) -> list[str]:
    """The units in which a station takes limits; empty: it never said."""
    words = said.get("units", "").replace(";", ",").split(",")
    return [unit for word in words if (unit := UNITS.get(word.strip().lower()))]


def whole(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10 else None


def load(cursor: Cursor, station_ids: Collection[int], *, held: bool = False) -> dict[int, Known]:
    """By station, in nine statements however many there are, asked together; only what they hold in three."""
    ids = list(station_ids)
    asked: list[tuple[str, tuple[Any, ...]]] = [(statement, (ids,)) for statement in (PROFILES, OTHERS, SESSIONS)]
    if not held:
        asked += [
            *((statement, (ids,)) for statement in (EVSES, OFFERED, COMING)),
            (HARDWARE, (ids, list(hardware.NAMES))),
            (SAID, (ids, [variable for _component, variable, _instance in SAID_AS])),
            (MEASURED, (ids, hardware.LEAST_V, hardware.MOST_V)),
        ]
    cursors = [beside(cursor) for _ in asked]
    with cursor.connection.pipeline():
        for one, (statement, params) in zip(cursors, asked, strict=True):
            one.execute(statement, params)
    profiles, others, running, *more = (one.fetchall() for one in cursors)
    evses, offered, asked_for, settings, told, measured = more or ([],) * 6
    profiles_of: dict[int, list[Held]] = {pk: [] for pk in ids}
    sessions: dict[int, dict[int, tuple[Session, int | None]]] = {pk: {} for pk in ids}
    for pk, evse, ocpp_id, started_at, remote_start_id in sorted(running, key=lambda row: row[3]):
        sessions[pk][evse] = Session(ocpp_id, started_at.replace(microsecond=0)), remote_start_id
    ours: dict[int, set[int]] = {pk: set() for pk in ids}
    for pk, evse, source, body, transaction, remote_start_id, since, number in profiles:
        if source == "CSO" and body is not None:
            ours[pk].add(number)
        if (found_here := _held(evse, _plain(body), transaction, remote_start_id, since, sessions[pk])) is not None:
            profiles_of[pk].append(found_here)
    for pk, evse, schedules, since in others:
        profiles_of[pk] += _of_others(evse, _plain(schedules), since)
    numbers: dict[int, list[int]] = {pk: [] for pk in ids}
    for pk, number in evses:
        numbers[pk].append(number)
    built: dict[int, list[hardware.Setting]] = {pk: [] for pk in ids}
    for pk, *setting in settings:
        built[pk].append(tuple(setting))  # type: ignore[arg-type]  # as the statement names them
    volts = {pk: (said, "settings") for pk in ids if (said := hardware.volts(built[pk])) is not None}
    # What it measures now counts more than what it was built for.
    volts |= {pk: (voltage, "measured") for pk, voltage in measured}
    found = {
        pk: Known(
            Limits(
                tuple(profiles_of[pk]),
                {evse: one for evse, (one, _) in sessions[pk].items()},
                tuple(sorted(numbers[pk])),
                *volts.get(pk, (VOLTS, "")),
                caps=hardware.caps(built[pk]),
                phases=hardware.phases(built[pk]),
            ),
            ours=ours[pk],
        )
        for pk in ids
    }
    for pk, evse, at in offered:
        found[pk].offered[evse] = at
    for pk, new in _coming(asked_for):
        found[pk].coming[new.id] = _held(new.evse, new.body, "", None, new.since, sessions[pk])
    for pk, *setting in told:
        if (taken := meant(*setting)) is not None:
            found[pk].said[taken[0]] = taken[1]
    return found


def of(station_ids: Collection[int]) -> dict[int, Known]:
    """The same for pages and jobs, on Django's connection. The caller has found the stations in its scope."""
    connection.ensure_connection()
    return load(psycopg.Cursor(connection.connection), station_ids)


def coming(station_id: int) -> list[Coming]:
    """What is on its way to a station, on Django's connection."""
    with connection.cursor() as cursor:
        cursor.execute(COMING, ([station_id],))
        return [one for _station_id, one in _coming(cursor.fetchall())]


def _coming(rows: Iterable[tuple[Any, ...]]) -> list[tuple[int, Coming]]:
    bodies = ((*row[:3], _plain(row[3]), row[4]) for row in rows)
    return [(station_id, Coming(*more)) for station_id, *more in bodies if more[2].get("id") is not None]


def _plain(value: Any) -> Any:
    # On Django's connections JSON comes as text.
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def _held(
    evse: int,
    body: Any,
    transaction: str,
    remote_start_id: int | None,
    since: datetime | None,
    sessions: dict[int, tuple[Session, int | None]],
) -> Held | None:
    """A profile that counts now. One of a session that is over, or never began, does not."""
    try:
        profile = Profile.of(body, strict=False)
    except BadCommand:
        return None  # a station's own nonsense
    if profile.purpose != TX:
        return Held(evse, profile, since and since.replace(microsecond=0))
    for number, (session, started_remotely) in sessions.items():
        named = session.transaction == (transaction or profile.transaction)
        if not transaction and not profile.transaction and evse in (0, number) and since is not None:
            asked = remote_start_id is not None and started_remotely == remote_start_id
            named = asked or (started_remotely is None and session.started_at >= since - CLOCKS_DIFFER)
        if named:
            return Held(number, profile.with_id(profile.id or 0, session.transaction), since)
    return None


def _of_others(evse: int, schedules: Any, since: datetime) -> list[Held]:
    found = []
    for body in schedules if isinstance(schedules, list) else ():
        try:
            schedule = Schedule.of(body, strict=False)
        except BadCommand:
            continue
        kind = "Absolute" if schedule.start is not None else "Relative"
        found.append(Held(evse, Profile(EXTERNAL, kind, 0, (schedule,)), since and since.replace(microsecond=0)))
    return found
