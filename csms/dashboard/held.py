"""Chargers that are held while they are configured: the steps from the knock to the first charge, and how far each is."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from csms.dashboard.commandrows import Dot
from stations import selectors
from stations.domain.values import Registration
from stations.models import Station, Variable

SHOWN = 20
STEPS: tuple[str | Promise, ...] = (
    _("Registered"),
    _("Connected"),
    _("Told to wait"),
    _("Settings read"),
    _("Accepted"),
)


@dataclass(frozen=True, slots=True)
class Held:
    """A charger whose registration is Pending."""

    station: Station
    online: bool
    read: bool

    @property
    def dots(self) -> list[Dot]:
        """The first step that is not done is under way."""
        station = self.station
        connection = getattr(station, "connection", None)
        since = connection.connected_at if connection else None
        done = [True, since is not None, station.booted_at is not None and station.accepted_at is None, self.read, False]
        at = [station.created_at, since, station.booted_at if done[2] else None, None, None]
        first = done.index(False)
        return [
            Dot(word, "done" if ok else "now" if number == first else "open", time)
            for number, (word, ok, time) in enumerate(zip(STEPS, done, at, strict=True))
        ]

    @property
    def charges(self) -> bool:
        """It was accepted before, and goes on until it boots."""
        return self.station.accepted_at is not None


def is_held(station: Station) -> bool:
    return station.registration == Registration.PENDING


def of(station: Station, online: bool) -> Held | None:
    """How far it is; None: it is not held."""
    return (
        Held(station, online, Variable.objects.filter(station=station, value__isnull=False).exists()) if is_held(station) else None
    )


def all_held(now: datetime) -> list[Held]:
    """Those that are held, the newest first: a bounded number."""
    found = Station.objects.filter(registration=Registration.PENDING).select_related("connection")
    found = found.annotate(
        is_online=Exists(selectors.online(now).filter(pk=OuterRef("pk"))),
        is_read=Exists(Variable.objects.filter(station=OuterRef("pk"), value__isnull=False)),
    )
    return [Held(one, one.is_online, one.is_read) for one in found.order_by("-pk")[:SHOWN]]  # type: ignore[attr-defined]  # annotated
