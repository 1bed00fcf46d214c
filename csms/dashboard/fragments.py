"""The parts of live pages that change, rendered one by one from the templates the page itself is made of."""

import re
from collections.abc import Collection, Mapping
from typing import TypedDict

from django.template.loader import render_to_string
from django.utils import timezone, translation

from csms.dashboard import commandrows, evses, held, logs, passwords, station, wall, worklist
from csms.dashboard.worklist import Rights
from stations import selectors


class Fragment(TypedDict):
    """`list` is the id of the list into which a new one goes (at its top); None: an unknown one is a reason to ask for all."""

    id: str
    html: str
    list: str | None


#: What is written between the tags of an age: it changes with the clock, and the browser keeps it right by itself.
AGE = re.compile(r"(<time [^>]*data-(?:ago|since|left)>)[^<]*")


class Known:
    """What the parts of a page looked like when they were last offered to it; bounded by the number of plugs."""

    def __init__(self) -> None:
        self._hashes: dict[str, int] = {}
        self._states: dict[int, object] = {}

    def new(self, fragment: Fragment) -> bool:
        """Whether it differs from what was offered before, but for ages."""
        was, now = self._hashes.get(fragment["id"]), hash(AGE.sub(r"\1", fragment["html"]))
        self._hashes[fragment["id"]] = now
        return was != now

    def moved(self, states: Mapping[int, object]) -> list[int]:
        """The chargers whose state is not the one that was asked about before."""
        moved = [pk for pk, state in states.items() if self._states.get(pk) != state]
        self._states.update(states)
        return moved


def everything(language: str, rights: Rights, host: dict[str, str]) -> list[Fragment]:
    """The whole wall as one fragment. `host` is what the page tells about our address."""
    with translation.override(language):
        return [_fragment("wall", "dashboard/_wall.html", {"wall": wall.wall(rights), **host})]


def changed(language: str, rights: Rights, transactions: Collection[int], known: Known) -> list[Fragment]:
    """What is to be replaced when these have changed: the summary, which carries the clock, and what is not `known`."""
    with translation.override(language):
        summary = wall.summary()
        work = worklist.work(rights, summary.now)
        parts = [
            _fragment("work", "dashboard/_work.html", {"work": work, "now": summary.now}),
            _fragment("refusals", "dashboard/_refusals.html", {"refusals": list(selectors.recent_refusals())}),
        ]
        parts = [part for part in parts if known.new(part)]
        if transactions:
            parts += [
                _fragment(f"transaction-{session.transaction.pk}", "dashboard/_session.html", {"session": session}, session.list)
                for session in wall.changed_sessions(transactions)
            ]
        return [_fragment("summary", "dashboard/_summary.html", {"summary": summary, "todo": len(work.tasks)}), *parts]


def moved(stations: Collection[int], known: Known) -> list[int]:
    """Those of these chargers whose dots on a dense wall are to be made anew, because their state is not the one that is `known`.

    What a dot tells of a session says of what time it is, so a reading is no reason.
    """
    return known.moved(wall.states(stations))


def of_plugs(language: str, stations: Collection[int], dense: bool, known: Known) -> list[Fragment]:
    """The plugs of some chargers that are not `known`, as cards, or as the dots of a `dense` wall."""
    template = "dashboard/_dot.html" if dense else "dashboard/_plug.html"
    with translation.override(language):
        parts = (
            _fragment(f"connector-{plug.connector.pk}", template, {"plug": plug}) for plug in wall.plugs(stations, priced=not dense)
        )
        return [part for part in parts if known.new(part)]


def of_station(language: str, pk: int, rights: Rights) -> list[Fragment]:
    """What changes on the pages of one charger: its head, its plugs, its newest commands and logs. A bounded number of each."""
    with translation.override(language):
        head = station.head(pk)
        if head is None:
            return []
        rows = commandrows.newest(head.station, head.online)
        may_command = rights.command
        return [
            _fragment("station-head", "dashboard/_station_head.html", {"head": head, "now": timezone.now()}),
            *(
                _fragment(f"connector-{card.plug.connector.pk}", "dashboard/_evse.html", {"card": card, "may_command": may_command})
                for card in evses.cards(head.station, head.plugs, rows)
            ),
            # The oldest first: each new one goes to the top of the list.
            *(
                _fragment(
                    f"command-{row.command.pk}",
                    "dashboard/_command.html",
                    {"row": row, "may_command": may_command, "may_ask": rights.asks},
                    "commands",
                )
                for row in reversed(rows)
            ),
            *(
                _fragment(f"log-{row.upload.pk}", "dashboard/_log.html", {"row": row, "may_fetch": rights.fetch}, "logs")
                for row in reversed(logs.newest(head.station))
            ),
            _fragment("log-status", "dashboard/_log_status.html", {"station": head.station}),
            _fragment("held", "dashboard/_held.html", {"held": held.of(head.station, head.online), "may_change": rights.change}),
            _fragment(
                "password",
                "dashboard/_password.html",
                {
                    "station": head.station,
                    "password": passwords.newest(head.station),
                    "may_change": rights.change,
                    "may_command": may_command,
                },
            ),
        ]


def _fragment(pk: str, template: str, context: dict[str, object], into: str | None = None) -> Fragment:
    return {"id": pk, "html": render_to_string(template, context), "list": into}
