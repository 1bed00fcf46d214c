"""What happened at a charger, as marks on its chart: faults, connections, restarts, sessions. The newest, a bounded number."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from csms.dashboard import wall
from csms.dashboard.points import Window
from stations.domain.values import ConnectorStatus
from stations.models import ConnectionHistory, Station, StatusHistory, Transaction

MOST = 100
#: A session that ends in a window began at most so long before it.
LONGEST_SESSION = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Mark:
    """`slug` names the colour and the shape, as those of the states."""

    at: datetime
    slug: str
    word: str | Promise
    detail: str = ""

    def json(self) -> dict[str, Any]:
        return {"at": int(self.at.timestamp()), "slug": self.slug, "word": self.word, "detail": self.detail}


def of_station(station: Station, window: Window) -> list[Mark]:
    """Oldest first."""
    found = [*_faults(station, window), *_connections(station, window), *_sessions(station, window)]
    if station.booted_at and window.start <= station.booted_at < window.end:
        found.append(Mark(station.booted_at, "preparing", _("Booted")))
    return sorted(found, key=lambda mark: mark.at)[-MOST:]


def _faults(station: Station, window: Window) -> list[Mark]:
    faults = StatusHistory.objects.filter(
        station=station, at__gte=window.start, at__lt=window.end, status=ConnectorStatus.FAULTED
    ).order_by("-at")[:MOST]
    marks = []
    for fault in faults:
        error = "" if fault.error_code == wall.NO_ERROR else fault.error_code
        number = fault.evse_number
        word = _("Plug %(number)s faulted") % {"number": number} if number else _("The charger faulted")
        marks.append(Mark(fault.at, "faulted", word, " – ".join(part for part in (error, fault.info) if part)))
    return marks


def _connections(station: Station, window: Window) -> list[Mark]:
    # By their fence: that is the index which knows them in order. Only the newest are looked at.
    newest = ConnectionHistory.objects.filter(station=station).order_by("-fence")[:MOST]
    marks = []
    for one in newest:
        if window.start <= one.opened_at < window.end:
            marks.append(Mark(one.opened_at, "available", _("Connected"), one.address))
        if one.closed_at and window.start <= one.closed_at < window.end:
            marks.append(Mark(one.closed_at, "offline", _("Connection ended"), one.close_reason))
    return marks


def _sessions(station: Station, window: Window) -> list[Mark]:
    begun = Transaction.objects.filter(
        station=station, started_at__gte=window.start - LONGEST_SESSION, started_at__lt=window.end
    ).select_related("evse")
    there = begun.filter(Q(started_at__gte=window.start) | Q(stopped_at__gte=window.start)).order_by("-started_at")[:MOST]
    marks = []
    for one in there:
        at_plug = _("plug %(number)s") % {"number": one.evse.number} if one.evse else ""
        detail = ", ".join(part for part in (at_plug, one.id_tag) if part)
        if one.started_at >= window.start:
            marks.append(Mark(one.started_at, "charging", _("Session started"), detail))
        if one.stopped_at and window.start <= one.stopped_at < window.end:
            marks.append(Mark(one.stopped_at, "finishing", _("Session ended"), detail))
    return marks
