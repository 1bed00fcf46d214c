"""What a driver sees of a plug: what it costs, whether it is free, what came of their start, what else is near."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_scopes import scope, scopes_disabled

from accounts.models import User
from billing import prices
from csms.dashboard.states import STATES
from stations import charging as look
from stations.domain.values import ConnectorStatus, TransactionStatus
from stations.models import Command, CommandStatus, Evse, Station, StatusHistory, Transaction
from stations.services import charging

#: How long after a start that came to nothing the page says so, and how long after a session leads to it.
REMEMBERED = timedelta(minutes=10)
NEAR_STATIONS, NEAR_SHOWN = 20, 3
#: Chargers' clocks are not further off than this, or not believed.
DAY = timedelta(days=1)

FREE: dict[str, tuple[str | Promise, str | Promise]] = {
    ConnectorStatus.AVAILABLE: (
        gettext_lazy("Free"),
        gettext_lazy("Plug in your car and press the button, in either order."),
    ),
    ConnectorStatus.RESERVED: (
        gettext_lazy("Reserved for you"),
        gettext_lazy("Plug in your car and press the button, in either order."),
    ),
    ConnectorStatus.PREPARING: (
        gettext_lazy("A cable is plugged in"),
        gettext_lazy("If it is in your car, press the button."),
    ),
    ConnectorStatus.FINISHING: (
        gettext_lazy("Free once it is unplugged"),
        gettext_lazy("The session before is over. If the cable is still in your car, unplug it and plug it in again."),
    ),
}
TAKEN: dict[str, str | Promise] = {
    "offline": gettext_lazy("No connection"),
    "faulted": gettext_lazy("Out of order"),
    "unavailable": gettext_lazy("Out of service"),
    "reserved": gettext_lazy("Reserved"),
    "claimed": gettext_lazy("In use"),
    "occupied": gettext_lazy("In use"),
}
SLUGS = {"claimed": "preparing", "occupied": "charging"} | {
    code: code for code in ("offline", "faulted", "unavailable", "reserved")
}
#: Why nothing began, by how the command ended, and what to do now.
FAILED: dict[str, tuple[str | Promise, str | Promise]] = {
    CommandStatus.REJECTED: (
        gettext_lazy("The charger refused to start."),
        gettext_lazy("Check that the cable sits firmly at both ends, then try again."),
    ),
    CommandStatus.FAILED: (gettext_lazy("The charger refused to start."), gettext_lazy("Try another charger nearby.")),
    CommandStatus.NO_EFFECT: (
        gettext_lazy("No car was plugged in in time, so nothing was started."),
        gettext_lazy("Plug in first, then press the button again."),
    ),
    CommandStatus.EXPIRED: (
        gettext_lazy("The charger could not be reached in time, so nothing was started."),
        gettext_lazy("Try again in a minute."),
    ),
    CommandStatus.CANCELLED: (gettext_lazy("The start was taken back."), gettext_lazy("Try again.")),
}
UNANSWERED = (
    gettext_lazy("The charger did not answer."),
    gettext_lazy("Look whether it charges all the same; if not, try again."),
)


@dataclass(frozen=True, slots=True)
class Near:
    """A plug that is free instead. `same`: it is one of the same charger."""

    station: Station
    number: int
    same: bool


@dataclass(slots=True)
class Place:
    """`start`: what came of the driver's own, if that is still news; `plugged`: a cable was in before it. `price`: in one sentence;
    empty: none is set."""

    plug: look.Plug
    price: str = ""
    start: look.Start | None = None
    near: list[Near] = field(default_factory=list)
    plugged: bool = False

    @property
    def station(self) -> Station:
        return self.plug.station

    @property
    def evse(self) -> Evse:
        return self.plug.evse

    @property
    def number(self) -> int:
        return self.plug.evse.number

    @property
    def zone(self) -> str:
        return self.station.site.time_zone if self.station.site else timezone.get_default_timezone_name()

    @property
    def taken(self) -> charging.Refused | None:
        """Why it cannot be started now."""
        return charging.why_not(self.plug)

    @property
    def slug(self) -> str:
        if self.busy:
            return "preparing"
        taken = self.taken
        return SLUGS.get(taken.code, "unavailable") if taken else STATES[self.plug.state].slug

    @property
    def word(self) -> str:
        if self.busy:
            return _("Waiting for you to plug in") if self.waits_for_car else _("Starting…")
        taken = self.taken
        return str(TAKEN.get(taken.code, TAKEN["unavailable"]) if taken else FREE[self.plug.state][0])

    @property
    def sentence(self) -> str:
        if self.busy:
            if self.waits_for_car:
                return _("Put the cable into the charger and your car. Charging begins by itself.")
            return _("The charger has been asked. This takes a few seconds.")
        taken = self.taken
        return str(taken) if taken else str(FREE[self.plug.state][1])

    @property
    def busy(self) -> bool:
        """The driver's start is under way."""
        return self.start is not None and self.start.state in ("asking", "plug_in", "charging") and self.over is None

    @property
    def waits_for_car(self) -> bool:
        return self.start is not None and self.start.state == "plug_in" and not self.plugged

    @property
    def until(self) -> datetime | None:
        """How long it waits."""
        return self.start.until if self.start and self.waits_for_car else None

    @property
    def failed(self) -> tuple[str, str, str] | None:
        """What went wrong with the driver's start, the charger's own word for it, and what to do."""
        if self.start is None or self.start.state != "failed":
            return None
        if self.start.command.status not in FAILED:
            return str(UNANSWERED[0]), "", str(UNANSWERED[1])
        what, then = FAILED[self.start.command.status]
        return str(what), self.start.because, f"{then} {_('Nothing is charged to you.')}"

    @property
    def over(self) -> Transaction | None:
        """The driver's session here that has just ended."""
        session = self.start.session if self.start else None
        return session if session and session.status == TransactionStatus.ENDED else None


def find(identity: str, evse: int, *, driver: User | None = None) -> Place | None:
    """The plug by the code on it; None: there is none. `driver`: of the charger's own network."""
    plug = charging.plug(identity, evse, driver=driver)
    if plug is None:
        return None
    with scope(operator=plug.station.operator_id):
        known = prices.Prices(plug.station.operator, driver)
        price = known.at(site=plug.station.site_id, station=plug.station.pk, evse=plug.evse.pk)
        place = Place(plug, price.sentence if price else "")
        if driver is not None:
            place.start = _last_start(driver, plug)
            place.plugged = place.start is not None and place.start.state == "plug_in" and _plugged(plug, place.start.command)
        place.near = [Near(plug.station, number, same=True) for number in plug.others]
        if not place.near and place.taken and plug.station.site_id:
            place.near = _at_site(plug.station)
    return place


def station_of(identity: str) -> Station | None:
    """The charger, whoever's it is, to choose one of its plugs."""
    with scopes_disabled():
        return Station.objects.select_related("site", "operator").filter(identity=identity).first()


def all_of(station: Station) -> list[look.Plug]:
    with scope(operator=station.operator_id):
        return look.plugs([station])


def _last_start(driver: User, plug: look.Plug) -> look.Start | None:
    now = timezone.now()
    here = look.starts(driver).filter(station=plug.station, kind="remote_start", params__evse=plug.evse.number)
    asked = here.order_by("-id").first()
    if asked is None:
        return None
    start = charging.follow(asked, driver=driver)
    ended = start.session.stopped_at if start.session else asked.finished_at
    return None if ended and ended < now - REMEMBERED else start


def _plugged(plug: look.Plug, asked: Command) -> bool:
    """Whether a cable was in before: OCPP 1.6 says Preparing of an accepted card alone, too. By our clock, not the charger's."""
    since = StatusHistory.objects.filter(station=plug.station, evse_number=plug.evse.number, at__gt=asked.created_at - DAY)
    return plug.state == ConnectorStatus.PREPARING and not since.filter(received_at__gt=asked.created_at).exists()


def _at_site(station: Station) -> list[Near]:
    others = list(Station.objects.filter(site=station.site_id).exclude(pk=station.pk).order_by("identity")[:NEAR_STATIONS])
    free = [one for one in look.plugs(others) if one.free and one.state == ConnectorStatus.AVAILABLE]
    return [Near(one.station, one.evse.number, same=False) for one in free[:NEAR_SHOWN]]
