"""Events that are told in several messages (OCPP 2.0.1 N07-N08, NotifyEventRequest seqNo and tbc): what is missing among them, and
numbers of events that were given twice. Both are noticed and no more: the events are kept all the same.

What came is remembered in memory only, so the first message after a restart of ours is judged by itself.
"""

from stations.batch import Batch
from stations.domain.events import ComponentEvent, ComponentEventsReported
from stations.domain.values import Note, Severity
from stations.state import EventSeries

#: Events of a series of which the numbers are remembered.
MOST = 500


def noticed(event: ComponentEventsReported, batch: Batch) -> None:
    """See whether a message follows the one before, and whether its events have numbers of their own."""
    known = batch.station.series
    told = {one.event_id: _what(one) for one in event.events}
    if known is not None and event.sequence < known.following and all(known.ids.get(pk) == what for pk, what in told.items()):
        return  # told again, since its answer was lost
    going_on = known is not None and not known.over and event.sequence > 0
    if known is not None and not known.over and not going_on:
        _missing(batch, f"The messages from {known.following} on of a series of events did not come: another series began.")
    # Of a station in the middle of a series when we began to listen, the first ones came to another process.
    expected = event.sequence if known is None else known.following if going_on else 0
    if event.sequence > expected:
        gap = str(expected) if event.sequence == expected + 1 else f"{expected} to {event.sequence - 1}"
        _missing(batch, f"When message {event.sequence} of a series of events came, {gap} had not come.")
    before = known.ids if known is not None else {}
    _see_ids(event, batch, before)
    kept = dict(list((before | told).items())[-MOST:]) if going_on else told
    batch.station.series = EventSeries(max(event.sequence + 1, expected), event.last, kept)


def _what(one: ComponentEvent) -> object:
    """By which one is known again: so far the table tells them apart, too."""
    return one.name, one.at


def _missing(batch: Batch, detail: str) -> None:
    batch.note(Note("event_message_missing", "", detail, Severity.WARNING))


def _see_ids(event: ComponentEventsReported, batch: Batch, ids: dict[int, object]) -> None:
    seen = dict(ids)
    for one in event.events:
        what = _what(one)
        if seen.setdefault(one.event_id, what) != what:
            detail = f"Event {one.event_id} is of {one.component}.{one.variable}, and another one had that number just before."
            batch.note(Note("event_id_twice", "", detail, Severity.WARNING))
