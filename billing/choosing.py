"""Which tariff a session has, and why: of those assigned the most special one, in the version that was valid when it started.

Whom a tariff is for goes before where: a group of id tags, then registered drivers or who pays without a contract, then everybody.
Of the same the nearest place wins: EVSE, charger, site, network. Where nothing is assigned it is the network's default.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django_scopes import scopes_disabled

from billing import series
from billing import tariff as engine
from billing.models import Audience, Tariff, TariffAssignment, TariffVersion
from stations.models import Transaction

PLACES = ("evse", "station", "site")
WHO = {Audience.GROUP: 2, Audience.DRIVERS: 1, Audience.AD_HOC: 1, Audience.EVERYBODY: 0}


@dataclass(frozen=True, slots=True)
class Case:
    """What of a session decides: where, when, and who charges. `group`: of the id tag; `driver`: it is a driver's."""

    operator: int
    site: int | None
    station: int
    evse: int | None
    at: datetime
    group: int | None = None
    driver: bool = False
    known: bool = False

    @property
    def audiences(self) -> set[str]:
        told = {Audience.EVERYBODY.value}
        if self.group is not None:
            told.add(Audience.GROUP.value)
        if self.driver:
            told.add(Audience.DRIVERS.value)
        if not self.known:
            told.add(Audience.AD_HOC.value)
        return told


def case_of(transaction: Transaction) -> Case:
    """What decides of a transaction; its station and id token are read with it."""
    token = transaction.id_token
    return Case(
        operator=transaction.operator_id,
        site=transaction.station.site_id,
        station=transaction.station_id,
        evse=transaction.evse_id,
        at=transaction.started_at,
        group=token.group_id if token else None,
        driver=token is not None and token.driver_id is not None,
        known=token is not None,
    )


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


class Book:
    """The tariffs of some networks, to choose from for any number of sessions: three queries, then none."""

    def __init__(self, operators: Iterable[int]) -> None:
        ids = set(operators)
        # The caller was allowed to see the sessions; they may belong to several operators (a superuser's page).
        with scopes_disabled():
            self._defaults = {one.operator_id: one.pk for one in Tariff.objects.filter(is_default=True, operator__in=ids)}
            self._assigned: Mapping[int, list[TariffAssignment]] = _by_operator(TariffAssignment.objects.filter(operator__in=ids))
            used = {*self._defaults.values(), *(one.tariff_id for rows in self._assigned.values() for one in rows)}
            self._versions: dict[int, list[TariffVersion]] = defaultdict(list)
            for version in TariffVersion.objects.filter(tariff__in=used).select_related("tariff").order_by("valid_from"):
                self._versions[version.tariff_id].append(version)
        self._read: dict[int, engine.Tariff] = {}
        self._market = series.Market()
        self._joined: dict[tuple[int, datetime, datetime], engine.Tariff] = {}

    def choose(self, case: Case) -> Chosen | None:
        """The tariff of a session. None: there is none."""
        fitting = [one for one in self._assigned.get(case.operator, ()) if _fits(one, case)]
        for one in sorted(fitting, key=_special, reverse=True):
            if version := version_at(self._versions[one.tariff_id], case.at):
                return Chosen(version, _place(one), one.audience)
        default = self._defaults.get(case.operator)
        version = version_at(self._versions[default], case.at) if default else None
        return Chosen(version) if version else None

    def read(self, chosen: Chosen) -> engine.Tariff:
        """The chosen tariff as the engine reads it."""
        pk = chosen.version.pk
        if pk not in self._read:
            self._read[pk] = series.parse(chosen.ocpi)
        return self._read[pk]

    def joined(self, chosen: Chosen, start: datetime, end: datetime) -> engine.Tariff:
        """The same, with the market's prices of a time in it, if the market drives it: to price what took place then."""
        if not series.named(chosen.version.ocpi):
            return self.read(chosen)
        key = (chosen.version.pk, start, end)
        if key not in self._joined:
            self._joined[key] = self._market.joined(chosen.version.operator_id, chosen.ocpi, start, end)
        return self._joined[key]


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


def _by_operator(rows: Iterable[TariffAssignment]) -> dict[int, list[TariffAssignment]]:
    found: dict[int, list[TariffAssignment]] = defaultdict(list)
    for row in rows:
        found[row.operator_id].append(row)
    return found


def _fits(one: TariffAssignment, case: Case) -> bool:
    if one.audience not in case.audiences or (one.group_id is not None and one.group_id != case.group):
        return False
    return all(getattr(one, f"{place}_id") in (None, getattr(case, place)) for place in PLACES)


def _place(one: TariffAssignment) -> str:
    return next((place for place in PLACES if getattr(one, f"{place}_id") is not None), "")


def _special(one: TariffAssignment) -> tuple[int, int, int]:
    place = _place(one)
    return WHO[Audience(one.audience)], len(PLACES) - PLACES.index(place) if place else 0, one.pk
