"""Stations by what a person looks for: words, a site, a make, what they are doing now. In the scope of the caller."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from django.db.models import Case, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from stations import selectors
from stations.domain.commands import BadCommand
from stations.domain.values import ConnectorStatus
from stations.models import Connector, Station

WAITING = "Waiting"
PLUGLESS = "Plugless"
#: A charger is said to be in the state of the plug that stands first here.
TELLING = (
    ConnectorStatus.FAULTED,
    ConnectorStatus.CHARGING,
    ConnectorStatus.SUSPENDED_EVSE,
    ConnectorStatus.SUSPENDED_EV,
    ConnectorStatus.FINISHING,
    ConnectorStatus.PREPARING,
    ConnectorStatus.OCCUPIED,
    ConnectorStatus.RESERVED,
    ConnectorStatus.AVAILABLE,
    ConnectorStatus.UNAVAILABLE,
)
SHOWN = (ConnectorStatus.FAULTED.value, selectors.OFFLINE, WAITING, *(status.value for status in TELLING[1:]), PLUGLESS)
#: What a word of the search is looked for in.
SEARCHED = (
    *("identity", "name", "serial_number", "box_serial_number", "vendor", "model", "firmware_version", "iccid", "imsi"),
    *("meter_type", "meter_serial_number", "site__name", "site__address", "site__city"),
)
#: Filters by what chargers tell of themselves: the filter's name, and the field.
TOLD = {"vendor": "vendor", "model": "model", "firmware": "firmware_version", "protocol": "connection__protocol"}
LONGEST = 100


def with_state() -> QuerySet[Any]:
    """Stations with `shown` (what a person should see of the whole charger) and `is_online`, of which types know nothing."""
    ranks = [When(status=status.value, then=Value(rank)) for rank, status in enumerate(TELLING)]
    plugs = Connector.objects.filter(evse__station=OuterRef("pk"))
    # One look at a charger's plugs: an annotation that is compared with each status would be looked up again for each.
    telling = plugs.order_by(Case(*ranks, default=Value(len(TELLING)), output_field=IntegerField())).values("status")[:1]
    is_online = selectors.heard(station="", connection="connection__")
    return (
        Station.objects.select_related("site", "connection")
        .annotate(is_online=Case(When(is_online, then=Value(True)), default=Value(False)))
        .annotate(
            shown=Case(
                When(connection__seen_at__isnull=True, then=Value(WAITING)),
                When(is_online=False, then=Value(selectors.OFFLINE)),
                When(status=ConnectorStatus.FAULTED.value, then=Value(ConnectorStatus.FAULTED.value)),
                default=Coalesce(Subquery(telling), Value(PLUGLESS)),
            )
        )
    )


@dataclass(frozen=True, slots=True)
class StationFilter:
    """What is looked for; what is empty narrows nothing. `site`: a key, or "none"; `online`: "yes" or "no"; `status` as shown."""

    q: str = ""
    status: str = ""
    online: str = ""
    site: str = ""
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    protocol: str = ""

    @classmethod
    def of(cls, given: Any) -> Self:
        """As JSON has it. Raises BadCommand for what it cannot mean."""
        known = [one.name for one in fields(cls)]
        if not isinstance(given, dict) or given.keys() - set(known):
            raise BadCommand("A filter of chargers is an object with any of %(known)s.", known=", ".join(known))
        for name, value in given.items():
            if not isinstance(value, str) or len(value) > LONGEST or "\x00" in value:
                raise BadCommand("%(name)s must be a text of at most %(longest)s characters.", name=name, longest=LONGEST)
        for name, options in (("status", SHOWN), ("online", ("yes", "no"))):
            if given.get(name) and given[name] not in options:
                raise BadCommand("%(name)s must be one of %(options)s.", name=name, options=", ".join(options))
        site = given.get("site", "")
        if site not in ("", "none") and not (site.isascii() and site.isdigit() and len(site) < 19):
            raise BadCommand("%(name)s must be the number of a site, or none.", name="site")
        return cls(**given)

    def kept(self) -> dict[str, str]:
        """As JSON has it, without what narrows nothing."""
        return {name: value for name, value in asdict(self).items() if value}

    def found(self) -> QuerySet[Any]:
        """What matches, whatever its status."""
        found = with_state()
        for word in self.q.split():
            matches = Q()
            for name in SEARCHED:
                matches |= Q(**{f"{name}__icontains": word})
            found = found.filter(matches)
        if self.site:
            found = found.filter(site__isnull=True) if self.site == "none" else found.filter(site=int(self.site))
        for name, field_name in TOLD.items():
            if value := getattr(self, name):
                found = found.filter(**{field_name: value})
        if self.online:
            found = found.filter(is_online=self.online == "yes")
        return found

    def matching(self) -> QuerySet[Any]:
        return self.found().filter(shown=self.status) if self.status else self.found()
