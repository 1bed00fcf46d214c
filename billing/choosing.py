"""Which tariff a session has, and why: of those assigned the most special one, in the version that was valid when it started.

Whom a tariff is for goes before where: a group of id tags, then registered drivers or who pays without a contract, then everybody.
Of the same the nearest place wins: EVSE, charger, site, network. Where nothing is assigned it is the network's default.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection
from django_scopes import scopes_disabled

from billing import series
from billing import tariff as engine
from billing.models import Audience, Tariff, TariffAssignment, TariffVersion
from stations.cases import Case
from stations.cases import of_row as case_of
from stations.flush import Cursor

__all__ = ["Book", "Case", "Chosen", "as_ocpi", "case_of", "version_at"]

Made = TypeVar("Made")

PLACES = ("evse", "station", "site")
ASSIGNED = ("operator_id", "pk", "tariff_id", "audience", "group_id", *(f"{place}_id" for place in PLACES))
WHO = {Audience.GROUP: 2, Audience.DRIVERS: 1, Audience.AD_HOC: 1, Audience.EVERYBODY: 0}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A version of a tariff. `place` and `audience`: to what it is assigned ("" of both: to the network, or it is the default)."""

    version: TariffVersion
    place: str = ""
    audience: str = ""

    @property
    def ocpi(self) -> dict[str, Any]:
        return as_ocpi(self.version)

    def why(self) -> dict[str, Any]:
        """As a charge record keeps it."""
        return {"version": self.version.number, "place": self.place, "audience": self.audience}


@dataclass(frozen=True, slots=True)
class Assigned:
    """Where and for whom a tariff applies, by primary keys. `place` "": the whole network."""

    pk: int
    tariff: int
    place: str
    audience: str
    group: int | None


@dataclass(slots=True)
class Network:
    """The tariffs of an operator at a version of its price list. `assigned`: by place, so that few are looked at for a session."""

    version: int
    default: int | None = None
    assigned: dict[tuple[str, int | None], list[Assigned]] = field(default_factory=dict)
    versions: dict[int, list[TariffVersion]] = field(default_factory=dict)
    #: What was made of versions, by their primary key and by what made it.
    kept: dict[tuple[int, object], Any] = field(default_factory=dict)

    def choose(self, case: Case) -> Chosen | None:
        places = [("evse", case.evse), ("station", case.station), ("site", case.site), ("", None)]
        audiences = audiences_of(case)
        fitting = [
            one
            for place in places
            for one in self.assigned.get(place, ())
            if one.audience in audiences and one.group in (None, case.group)
        ]
        for one in sorted(fitting, key=_special, reverse=True):
            if version := version_at(self.versions.get(one.tariff, []), case.at):
                return Chosen(version, one.place, one.audience)
        version = version_at(self.versions.get(self.default, []), case.at) if self.default else None
        return Chosen(version) if version else None


#: The networks that this process has read, as long as their price lists are at that version. At most MOST of them.
_read: dict[int, Network] = {}
MOST = 1000
VERSIONS = "SELECT operator_id, version FROM billing_pricelist WHERE operator_id = ANY(%s)"


class Book:
    """The tariffs of some networks, to choose from for any number of sessions: one small query, and three when they have changed.

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

    def choose(self, case: Case) -> Chosen | None:
        """The tariff of a session. None: there is none."""
        network = self._networks.get(case.operator)
        return network.choose(case) if network is not None else None

    def read(self, chosen: Chosen) -> engine.Tariff:
        """The chosen tariff as the engine reads it."""
        return self._keep(chosen, engine.parse, lambda: series.parse(chosen.ocpi))

    def joined(self, chosen: Chosen, start: datetime, end: datetime) -> engine.Tariff:
        """The same, with the market's prices of a time in it, if the market drives it: to price what took place then."""
        if not series.named(chosen.version.ocpi):
            return self.read(chosen)
        key = (chosen.version.pk, start, end)
        if key not in self._joined:
            self._joined[key] = self._market.joined(chosen.version.operator_id, chosen.ocpi, start, end)
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
    found = {pk: Network(version) for pk, version in operators.items()}
    # The caller was allowed to see the sessions; they may belong to several operators (a superuser's page).
    with scopes_disabled():
        defaults = Tariff.objects.filter(is_default=True, operator__in=found)
        for operator, default in defaults.values_list("operator_id", "pk"):
            found[operator].default = default
        rows = TariffAssignment.objects.filter(operator__in=found).order_by("pk")
        for operator, pk, applied, audience, group, *where in rows.values_list(*ASSIGNED):
            place, at = next(((name, key) for name, key in zip(PLACES, where, strict=True) if key is not None), ("", None))
            one = Assigned(pk, applied, place, audience, group)
            found[operator].assigned.setdefault((place, at), []).append(one)
        used = {one.default for one in found.values() if one.default}
        used |= {one.tariff for network in found.values() for rows in network.assigned.values() for one in rows}
        for version in TariffVersion.objects.filter(tariff__in=used).select_related("tariff").order_by("valid_from"):
            found[version.operator_id].versions.setdefault(version.tariff_id, []).append(version)
    return found


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


def _special(one: Assigned) -> tuple[int, int, int]:
    return WHO[Audience(one.audience)], len(PLACES) - PLACES.index(one.place) if one.place else 0, one.pk
