"""Reads of quirks, in the scope of the caller: those that came with the release, and the operator's own."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.http import Http404

from stations.domain.quirks import Make
from stations.models import Quirk, QuirkSwitch, Station

STATIONS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Row:
    """A quirk as one operator has it. `stations`: how many of theirs it is about."""

    quirk: Quirk
    active: bool
    stations: int

    @property
    def shipped(self) -> bool:
        return self.quirk.operator_id is None


#: What stations say of themselves, with their protocol, and how many say so.
Makes = list[tuple[Make, str, int]]


def makes() -> Makes:
    """In one query, as many rows as there are makes."""
    fields = ("vendor", "model", "firmware_version", "connection__protocol")
    found = Station.objects.exclude(vendor="", model="").order_by().values_list(*fields).annotate(n=Count("pk"))
    return [(Make(vendor, model, firmware), protocol or "", n) for vendor, model, firmware, protocol, n in found]


def concerns(quirk: Quirk, make: Make, protocol: str) -> bool:
    return quirk.about.fits(make) and (not quirk.protocol or quirk.protocol == protocol)


def matching(quirk: Quirk, known: Iterable[tuple[Make, str, int]]) -> int:
    return sum(count for make, protocol, count in known if concerns(quirk, make, protocol))


def rows() -> list[Row]:
    """The operator's own first, the newest first; then the shipped ones by vendor. Both are bounded."""
    own = list(_own().order_by("-pk"))
    shipped = sorted(Quirk.shipped.all(), key=lambda quirk: (quirk.vendor.casefold(), quirk.name.casefold()))
    switches, known = _switches(), makes()
    return [Row(quirk, switches.get(quirk.pk, quirk.active), matching(quirk, known)) for quirk in (*own, *shipped)]


def row(pk: int) -> Row:
    """One that the caller may see."""
    quirk = _own().filter(pk=pk).first() or Quirk.shipped.filter(pk=pk).first()
    if quirk is None:
        raise Http404
    return Row(quirk, _switches().get(pk, quirk.active), matching(quirk, makes()))


def stations(quirk: Quirk) -> list[Station]:
    """Some of those it is about, by identity."""
    fitting = {(make, protocol) for make, protocol, _count in makes() if concerns(quirk, make, protocol)}
    found: list[Station] = []
    for make, protocol in sorted(fitting):
        same = Station.objects.filter(vendor=make.vendor, model=make.model, firmware_version=make.firmware)
        same = same.filter(connection__protocol=protocol).select_related("connection").order_by("identity")
        found += same[: STATIONS_SHOWN - len(found)]
        if len(found) >= STATIONS_SHOWN:
            break
    return sorted(found, key=lambda station: station.identity)


def _own() -> QuerySet[Quirk]:
    return Quirk.objects.exclude(operator=None).select_related("operator")


def _switches() -> dict[int, bool]:
    return dict(QuirkSwitch.objects.values_list("quirk_id", "active"))
