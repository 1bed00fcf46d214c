"""The parts of live pages that change, rendered one by one from the templates the page itself is made of."""

from collections.abc import Collection
from typing import TypedDict

from django.template.loader import render_to_string
from django.utils import timezone, translation

from csms.dashboard import commandrows, evses, station, wall
from stations import selectors


class Fragment(TypedDict):
    """`list` is the id of the list into which a new one goes (at its top); None: an unknown one is a reason to ask for all."""

    id: str
    html: str
    list: str | None


def everything(language: str, host: dict[str, str]) -> list[Fragment]:
    """The whole wall as one fragment. `host` is what the page tells about our address."""
    with translation.override(language):
        return [_fragment("wall", "dashboard/_wall.html", {"wall": wall.wall(), **host})]


def changed(language: str, stations: Collection[int], transactions: Collection[int]) -> list[Fragment]:
    """What is to be replaced when these rows have changed. The summary and the refusals always are."""
    with translation.override(language):
        now = timezone.now()
        parts = [
            _fragment("summary", "dashboard/_summary.html", {"counters": selectors.counters(), "now": now}),
            _fragment("refusals", "dashboard/_refusals.html", {"refusals": list(selectors.recent_refusals())}),
        ]
        if stations:
            parts += [
                _fragment(f"connector-{plug.connector.pk}", "dashboard/_plug.html", {"plug": plug}) for plug in wall.plugs(stations)
            ]
        if transactions:
            parts += [
                _fragment(f"transaction-{session.transaction.pk}", "dashboard/_session.html", {"session": session}, session.list)
                for session in wall.changed_sessions(transactions)
            ]
        return parts


def of_station(language: str, pk: int, may_command: bool) -> list[Fragment]:
    """What changes on the pages of one charger: its head, its plugs and its newest commands. A bounded number of each."""
    with translation.override(language):
        head = station.head(pk)
        if head is None:
            return []
        rows = commandrows.newest(head.station, head.online)
        return [
            _fragment("station-head", "dashboard/_station_head.html", {"head": head, "now": timezone.now()}),
            *(
                _fragment(f"connector-{card.plug.connector.pk}", "dashboard/_evse.html", {"card": card, "may_command": may_command})
                for card in evses.cards(head.station, head.plugs, rows)
            ),
            # The oldest first: each new one goes to the top of the list.
            *(
                _fragment(
                    f"command-{row.command.pk}", "dashboard/_command.html", {"row": row, "may_command": may_command}, "commands"
                )
                for row in reversed(rows)
            ),
        ]


def _fragment(pk: str, template: str, context: dict[str, object], into: str | None = None) -> Fragment:
    return {"id": pk, "html": render_to_string(template, context), "list": into}
