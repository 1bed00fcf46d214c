"""The columns of a file of id tags that say what each is held to, as `accounts.imports` asks for them."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import IdToken, Operator
from stations import heldnames
from stations.heldnames import BETWEEN, SITE
from stations.models import Site, Station
from stations.services import groupterms
from stations.services.groupterms import Wanted

#: An empty cell: everywhere, at every type.
COLUMNS: tuple[str, ...] = ("places", "connector_types")


def understand(*, operator: Operator, rows: Sequence[dict[str, str]]) -> list[dict[str, Any] | ValidationError]:
    """What the cells of each row mean, or what is wrong with them; in three queries, however many. In the operator's scope."""
    named = {name for row in rows for name in _split(row.get("places", ""))}
    sites = heldnames.sites_named({name.removeprefix(SITE) for name in named if name.startswith(SITE)})
    stations = heldnames.stations_named({name for name in named if not name.startswith(SITE)})
    found: list[dict[str, Any] | ValidationError] = []
    for row in rows:
        try:
            found.append(_understood(operator, row, sites, stations))
        except ValidationError as error:
            found.append(error)
    return found


def _understood(
    operator: Operator, row: dict[str, str], sites: dict[str, Site], stations: dict[str, tuple[Station, int | None]]
) -> dict[str, Any]:
    names, types = _split(row.get("places", "")), _split(row.get("connector_types", ""))
    for name in names:
        if name.removeprefix(SITE) not in sites if name.startswith(SITE) else name not in stations:
            text = _("There is no %(name)s: write a charger as HARBOUR-1, a plug of it as HARBOUR-1/2, a site as site:Harbour.")
            raise ValidationError({"places": text % {"name": name[:60]}})
    single = [stations[name] for name in names if not name.startswith(SITE)]
    wanted = Wanted(
        bool(names),
        [sites[name.removeprefix(SITE)] for name in names if name.startswith(SITE)],
        [station for station, number in single if number is None],
        [(station, number) for station, number in single if number is not None],
        types or None,
    )
    kept = wanted.kept(operator.pk)
    return {name: kept[name] for name in COLUMNS if name in row}


def keep(*, operator: Operator, tokens: Sequence[tuple[IdToken, dict[str, Any]]]) -> None:
    groupterms.hold_all(operator_id=operator.pk, wanted=tokens)


def _split(cell: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in cell.split(BETWEEN) if name.strip()))
