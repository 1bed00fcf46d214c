"""What id tokens are held to, as people and files write it: `HARBOUR-1` is a charger, `HARBOUR-1/2` a plug of it, `site:Harbour` a
site; several are parted by `|`, and so are types of plugs."""

from collections.abc import Collection

from stations.domain.places import Places
from stations.models import Site, Station, TokenTerms

SITE, BETWEEN = "site:", "|"


def stations_named(names: Collection[str]) -> dict[str, tuple[Station, int | None]]:
    """Those of the names that are a charger's, or a plug's (its number), in two queries."""
    whole = dict(Station.objects.filter(identity__in=names).in_bulk(field_name="identity")) if names else {}
    found: dict[str, tuple[Station, int | None]] = {name: (station, None) for name, station in whole.items()}
    parts = {name: name.rpartition("/") for name in names if name not in whole and "/" in name}
    rows = Station.objects.filter(identity__in={before for before, _slash, _number in parts.values()}) if parts else ()
    by_identity = {station.identity: station for station in rows}
    for name, (identity, _slash, number) in parts.items():
        if identity in by_identity and number.isascii() and number.isdigit() and 1 <= int(number[:4]) <= 255:
            found[name] = by_identity[identity], int(number)
    return found


def sites_named(names: Collection[str]) -> dict[str, Site]:
    return {site.name: site for site in Site.objects.filter(name__in=names)} if names else {}


class Texts:
    """How terms are written in a file: their places and their types of plugs. Many tokens are held to the same."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    def of(self, terms: TokenTerms | None) -> tuple[str, str]:
        if terms is None:
            return "", ""
        types = BETWEEN.join(terms.connector_types or ())
        if terms.places is None:
            return "", types
        key = repr(terms.places)
        if key not in self.known:
            places = Places.read(terms.places)
            ids = {*places.stations, *(at for at, _number in places.evses)}
            identities = dict(Station.objects.filter(pk__in=ids).values_list("pk", "identity"))
            sites = Site.objects.filter(pk__in=places.sites).order_by("name").values_list("name", flat=True)
            single = [identities[pk] for pk in places.stations if pk in identities]
            single += [f"{identities[pk]}/{number}" for pk, number in places.evses if pk in identities]
            self.known[key] = BETWEEN.join((*(f"{SITE}{name}" for name in sites), *sorted(single)))
        return self.known[key], types
