"""Which tariff a session has, and why: of those assigned when it started the most special one, in the version that was valid then.

Whom a tariff is for goes before where: a group of id tags, then registered drivers or who pays without a contract, then everybody.
Of the same the nearest place wins: EVSE, charger, site, network. Where nothing is assigned it is the network's default. A session
that started before any tariff applied to it has what applies now.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Q
from django.utils import timezone
from django_scopes import scopes_disabled

from billing import series
from billing import tariff as engine
from billing.models import Audience, FormerAssignment, Tariff, TariffAssignment, TariffVersion
from stations.cases import Case
from stations.cases import of_row as case_of
from stations.flush import Cursor

__all__ = ["Book", "Case", "Chosen", "as_ocpi", "case_of", "version_at"]

Made = TypeVar("Made")

PLACES = ("evse", "station", "site")
ASSIGNED = ("operator_id", "pk", "tariff_id", "audience", "group_id", *(f"{place}_id" for place in PLACES))
CURRENT, FORMER = (*ASSIGNED, "created_at"), (*ASSIGNED, "began_at", "ended_at", "was_default")
Place = tuple[str, int | None]
WHO = {Audience.GROUP: 2, Audience.DRIVERS: 1, Audience.AD_HOC: 1, Audience.EVERYBODY: 0}
#: After everything that is assigned.
DEFAULT = -1


@dataclass(frozen=True, slots=True)
class Chosen:
    """A version of a tariff. `place` and `audience`: to what it is assigned ("" of both: to the network, or it is the default).
    `until`: when that ended. None: it has not. `market`: the prices of its series that applied already when it was billed.
    """

    version: TariffVersion
    place: str = ""
    audience: str = ""
    until: datetime | None = None
    market: Mapping[str, engine.Series] = field(default_factory=dict, compare=False)

    @property
    def ocpi(self) -> dict[str, Any]:
        return as_ocpi(self.version)

    def why(self) -> dict[str, Any]:
        """As a charge record keeps it."""
        until = {} if self.until is None else {"until": self.until.isoformat()}
        return {"version": self.version.number, "place": self.place, "audience": self.audience} | until


@dataclass(frozen=True, slots=True)
class Assigned:
    """Where and for whom a tariff applies, or did, by primary keys. `place` "": the whole network. `since` None: always;
    `until` None: it still does."""

    pk: int
    tariff: int
    place: str
    audience: str
    group: int | None
    since: datetime | None
    until: datetime | None = None
    is_default: bool = False

    def applied(self, moment: datetime) -> bool:
        return (self.since is None or self.since <= moment) and (self.until is None or moment < self.until)

    @property
    def special(self) -> tuple[int, int, int]:
        who = DEFAULT if self.is_default else WHO[Audience(self.audience)]
        return who, len(PLACES) - PLACES.index(self.place) if self.place else 0, self.pk


@dataclass(slots=True)
class Network:
    """The tariffs of an operator at a version of its price list. `assigned`: by place, so that few are looked at for a session."""

    operator: int
    version: int
    #: What ended before is not in `assigned`, but asked for when a session needs it.
    known_from: datetime
    assigned: dict[Place, list[Assigned]] = field(default_factory=dict)
    versions: dict[int, list[TariffVersion]] = field(default_factory=dict)
    #: What was made of versions, by their primary key and by what made it.
    kept: dict[tuple[int, object], Any] = field(default_factory=dict)
    #: What had ended when it was read, for cases of before `known_from`.
    older: dict[Case, list[Assigned]] = field(default_factory=dict)

    def choose(self, case: Case, *, now: bool) -> Chosen | None:
        places = [("evse", case.evse), ("station", case.station), ("site", case.site), ("", None)]
        found = [one for place in places for one in self.assigned.get(place, ())]
        if not now and case.at < self.known_from:
            found += self._older(case)
        audiences = audiences_of(case)
        fitting = [one for one in found if one.audience in audiences and one.group in (None, case.group)]
        fitting.sort(key=lambda one: one.special, reverse=True)
        current = [one for one in fitting if one.until is None]
        for some in [current] if now else [[one for one in fitting if one.applied(case.at)], current]:
            for one in some:
                if version := version_at(self.versions.get(one.tariff, []), case.at):
                    return Chosen(version, one.place, one.audience, one.until)
        return None

    def _older(self, case: Case) -> list[Assigned]:
        """What applied then, and ended before what is in memory: a statement, and another if these tariffs were not read yet."""
        if case not in self.older:
            here = Q(site=None, station=None, evse=None) | Q(station=case.station)
            here |= Q(site=case.site) if case.site else Q()
            here |= Q(evse=case.evse) if case.evse else Q()
            with scopes_disabled():
                then = FormerAssignment.objects.filter(here, operator=self.operator, began_at__lte=case.at, ended_at__gt=case.at)
                rows = [one for _, _, one in _read_rows(then.filter(ended_at__lt=self.known_from).values_list(*FORMER))]
                _add_versions({self.operator: self}, {one.tariff for one in rows} - self.versions.keys())
            if len(self.older) >= MOST_OLDER:
                self.older.clear()
            self.older[case] = rows
        return self.older[case]


#: The networks that this process has read, as long as their price lists are at that version. At most MOST of them.
_read: dict[int, Network] = {}
MOST, MOST_OLDER = 1000, 10_000
#: Few sessions begin earlier before they are priced; an operator may change assignments every night.
RECENT = timedelta(days=3)
VERSIONS = "SELECT operator_id, version FROM billing_pricelist WHERE operator_id = ANY(%s)"


class Book:
    """The tariffs of some networks, to choose from for any number of sessions: one small query, and four when they have changed.

    A network's tariffs, of which it may have thousands assigned, are kept by the process until the version of its price list is
    another. What becomes valid by itself, at its time, is in them already. `cursor`: of a batch; without it Django's own.
    """

    def __init__(self, operators: Iterable[int], cursor: Cursor | None = None) -> None:
        ids = sorted(set(operators))
        # The version first: what is read after it is as new, or newer and then read once more.
        versions = _versions(ids, cursor)
        self._networks = {pk: _read[pk] for pk in ids if pk in _read and _read[pk].version == versions.get(pk, 0)}
        if changed := [pk for pk in ids if pk not in self._networks]:
            fresh = _load({pk: versions.get(pk, 0) for pk in changed})
            self._networks |= fresh
            if len(_read) + len(fresh) > MOST:
                _read.clear()
            _read.update(fresh)
        self._market = series.Market()
        self._joined: dict[tuple[int, datetime, datetime], engine.Tariff] = {}

    def choose(self, case: Case, *, now: bool = False) -> Chosen | None:
        """The tariff of a session; with `now` of what is assigned now instead of when it started. None: there is none."""
        network = self._networks.get(case.operator)
        return network.choose(case, now=now) if network is not None else None

    def read(self, chosen: Chosen) -> engine.Tariff:
        """The chosen tariff as the engine reads it."""
        return self._keep(chosen, engine.parse, lambda: series.parse(chosen.ocpi))

    def joined(self, chosen: Chosen, start: datetime, end: datetime) -> engine.Tariff:
        """The same, with the market's prices of a time in it, if the market drives it: to price what took place then."""
        if not series.named(chosen.version.ocpi):
            return self.read(chosen)
        operator_id = chosen.version.operator_id
        if chosen.market:
            return self._market.joined(operator_id, chosen.ocpi, start, end, before=chosen.market)
        key = (chosen.version.pk, start, end)
        if key not in self._joined:
            self._joined[key] = self._market.joined(operator_id, chosen.ocpi, start, end)
        return self._joined[key]

    def made(self, chosen: Chosen, make: Callable[[engine.Tariff, series.Followed | None], Made]) -> Made:
        """What is made of a chosen tariff, and of its market's prices if one drives it: once for as long as neither changes."""
        operator_id = chosen.version.operator_id
        return self._keep(chosen, make, lambda: make(self.read(chosen), series.followed(operator_id, chosen.ocpi)))

    def _keep(self, chosen: Chosen, what: object, make: Callable[[], Made]) -> Made:
        kept = self._networks[chosen.version.operator_id].kept
        key = (chosen.version.pk, what)
        if key not in kept:
            kept[key] = make()
        found: Made = kept[key]
        return found


def _versions(operators: list[int], cursor: Cursor | None) -> dict[int, int]:
    if not operators:
        return {}
    if cursor is not None:
        return dict(cursor.execute(VERSIONS, (operators,)).fetchall())
    with connection.cursor() as own:
        own.execute(VERSIONS, [operators])
        return dict(own.fetchall())


def _load(operators: Mapping[int, int]) -> dict[int, Network]:
    known_from = timezone.now() - RECENT
    found = {pk: Network(pk, version, known_from) for pk, version in operators.items()}
    # The caller was allowed to see the sessions; they may belong to several operators (a superuser's page).
    with scopes_disabled():
        used: set[int] = set()
        for operator, place, one in _assigned(list(found), known_from):
            found[operator].assigned.setdefault(place, []).append(one)
            used.add(one.tariff)
        _add_versions(found, used)
    return found


def _add_versions(networks: Mapping[int, Network], tariffs: Collection[int]) -> None:
    """Those of tariffs that have none yet, in the order of time."""
    if tariffs:
        for version in TariffVersion.objects.filter(tariff__in=tariffs).select_related("tariff").order_by("valid_from"):
            networks[version.operator_id].versions.setdefault(version.tariff_id, []).append(version)


def _assigned(operators: list[int], since: datetime) -> Iterator[tuple[int, Place, Assigned]]:
    """What applies, and what did since a moment, by operator and place."""
    defaults = Tariff.objects.filter(is_default=True, operator__in=operators)
    for operator, pk, begun in defaults.values_list("operator_id", "pk", "default_since"):
        yield operator, ("", None), Assigned(0, pk, "", "", None, begun, is_default=True)
    yield from _read_rows(TariffAssignment.objects.filter(operator__in=operators).values_list(*CURRENT))
    yield from _read_rows(FormerAssignment.objects.filter(operator__in=operators, ended_at__gte=since).values_list(*FORMER))


def _read_rows(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, Place, Assigned]]:
    for operator, pk, tariff, audience, group, *more in rows:
        where, when = more[: len(PLACES)], more[len(PLACES) :]
        place, at = next(((name, key) for name, key in zip(PLACES, where, strict=True) if key is not None), ("", None))
        yield operator, (place, at), Assigned(pk, tariff, place, audience, group, *when)


def version_at(versions: list[TariffVersion], moment: datetime) -> TariffVersion | None:
    """Of versions in the order of time the one valid at a moment: before the first there is the first."""
    begun = [version for version in versions if version.valid_from <= moment]
    return begun[-1] if begun else next(iter(versions), None)


def as_ocpi(version: TariffVersion) -> dict[str, Any]:
    """A version as an OCPI 2.2.1 Tariff object, ready for JSON; without country_code and party_id, which a roaming party has."""
    return {
        "id": str(version.tariff_id),
        "currency": version.tariff.currency,
        **version.ocpi,
        "last_updated": version.created_at.isoformat(),
    }


def audiences_of(case: Case) -> set[str]:
    told = {Audience.EVERYBODY.value}
    if case.group is not None:
        told.add(Audience.GROUP.value)
    if case.driver:
        told.add(Audience.DRIVERS.value)
    if not case.known:
        told.add(Audience.AD_HOC.value)
    return told
