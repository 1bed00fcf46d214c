"""Where one can charge: sites near a place, and the plugs of sites. In the scope of the caller."""

import math
from collections.abc import Iterable

from django.db.models import Exists, F, FloatField, OuterRef, Q, QuerySet, Value
from django.db.models.functions import ASin, Cast, Cos, Least, Power, Radians, Sin, Sqrt

from accounts.models import User
from stations import charging
from stations.models import Site, Station

EARTH_M = 6_371_008.8
#: Metres a degree of latitude.
DEGREE_M = EARTH_M * math.pi / 180


def sites() -> QuerySet[Site]:
    """Sites with stations, by name."""
    return Site.objects.filter(Exists(Station.objects.filter(site=OuterRef("pk")))).order_by("name", "pk")


def near(latitude: float, longitude: float, radius_m: float) -> QuerySet[Site]:
    """Sites within that distance, the nearest first, with their `distance_m`. Those of which nobody knows where they are are none.

    An index finds the square around the circle.
    """
    north = radius_m / DEGREE_M
    box = Q(latitude__range=(max(-90.0, latitude - north), min(90.0, latitude + north)))
    # At its edge that is nearest to a pole the circle is widest in degrees.
    farthest = min(89.9, abs(latitude) + north)
    east = north / math.cos(math.radians(farthest))
    if east < 180 and abs(latitude) + north < 90:
        west_edge, east_edge = longitude - east, longitude + east
        if west_edge < -180:
            box &= Q(longitude__gte=west_edge + 360) | Q(longitude__lte=east_edge)
        elif east_edge > 180:
            box &= Q(longitude__gte=west_edge) | Q(longitude__lte=east_edge - 360)
        else:
            box &= Q(longitude__range=(west_edge, east_edge))
    there, here = Radians(Cast("latitude", FloatField())), math.radians(latitude)
    aside = Radians(Cast("longitude", FloatField())) - math.radians(longitude)
    half = Power(Sin((there - here) / 2), 2) + Cos(there) * math.cos(here) * Power(Sin(aside / 2), 2)
    distance = ASin(Least(Sqrt(half), Value(1.0))) * (2 * EARTH_M)
    found = sites().filter(box, latitude__isnull=False, longitude__isnull=False)
    return found.annotate(distance_m=distance).filter(distance_m__lte=radius_m).order_by(F("distance_m"), "pk")


def plugs(found: Iterable[Site], *, driver: User) -> dict[int, list[charging.Plug]]:
    """The plugs of sites, by the primary key of the site."""
    stations = Station.objects.filter(site__in=[site.pk for site in found]).order_by("identity")
    by_site: dict[int, list[charging.Plug]] = {}
    for plug in charging.plugs(list(stations), driver=driver):
        if plug.station.site_id is not None:
            by_site.setdefault(plug.station.site_id, []).append(plug)
    return by_site
