"""What people want in and out of service, and how far each station is with it (OCPP 2.0.1 G03-G04, 1.6 5.2).

The newest change of availability that was asked of a place says what is wanted there, and its command how far that is: so what was
taken back before it was sent counts for nothing, and what was wanted before counts again. Stations, EVSEs and connectors are wanted
each by themselves: one can be used when all of them are in service. Inoperative survives a restart, so nothing is sent again.
"""

from dataclasses import dataclass
from datetime import datetime

from stations.domain.values import ConnectorStatus
from stations.models import Command, CommandStatus, Connector, Station

KIND = "change_availability"
#: Commands of one station that are looked at, the newest.
MOST = 200
#: Of what a plug may be that is out of service.
OUT = (ConnectorStatus.UNAVAILABLE.value, ConnectorStatus.FAULTED.value)
#: How far a wish is, by its command's status. "in_effect" may turn out to differ from what the plugs say.
PROGRESS = {
    CommandStatus.QUEUED: "waiting",
    CommandStatus.SENT: "waiting",
    CommandStatus.ACCEPTED: "pending",
    CommandStatus.CONFIRMED: "in_effect",
    CommandStatus.REJECTED: "refused",
    CommandStatus.FAILED: "refused",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """`evse` 0: the whole station; `connector` None: the whole EVSE. `progress`: waiting (to be sent), pending (until a status
    confirms it), in_effect, refused, unknown, or differs: it was in effect, and the plugs say otherwise now."""

    evse: int
    connector: int | None
    operative: bool
    progress: str
    command: Command

    @property
    def since(self) -> datetime:
        return self.command.created_at

    @property
    def by(self) -> str:
        person = self.command.requested_by
        return (person.name or person.email) if person else ""


def wishes(station: Station) -> list[Wish]:
    """The newest of each place, the whole station first. That something is in service is told only as long as it is not."""
    asked = Command.objects.filter(station=station, kind=KIND).exclude(status=CommandStatus.CANCELLED)
    rows: dict[tuple[int, int | None], Command] = {}
    for row in asked.select_related("requested_by").order_by("-pk")[:MOST]:
        if isinstance(row.params.get("operative"), bool):
            rows.setdefault((row.params.get("evse") or 0, row.params.get("connector")), row)
    if not rows:
        return []
    states = list(Connector.objects.filter(evse__station=station).values_list("evse__number", "number", "status"))
    made = (_wish(row, states) for row in rows.values())
    shown = (one for one in made if not (one.operative and one.progress == "in_effect"))
    return sorted(shown, key=lambda one: (one.evse, one.connector or 0))


def _wish(row: Command, states: list[tuple[int, int, str]]) -> Wish:
    evse, connector, operative = row.params.get("evse") or 0, row.params.get("connector"), row.params["operative"]
    progress = PROGRESS.get(CommandStatus(row.status), "unknown")
    there = [state for number, plug, state in states if evse in (0, number) and connector in (None, plug)]
    # What is in service may be out of it by a wider or narrower wish: only the other way round do the plugs contradict.
    if progress == "in_effect" and not operative and any(state not in OUT for state in there):
        progress = "differs"
    return Wish(evse, connector, operative, progress, row)
