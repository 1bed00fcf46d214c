"""From a station's transaction to the session that the tariff engine prices."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import chain, islice

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from billing.tariff import Reserved, Sample, Session
from stations import cases, courses, ports
from stations.models import MeterSample, Transaction

#: Samples that are held at once, however long a session is.
READ_AT_ONCE = 1000
# The subquery stays one (OFFSET 0), so that each transaction's samples are found by the index of station and time, in its months.
REGISTERS = """
SELECT v.number, m.at, m.energy_wh, m.current_a
FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])
    AS v(number, transaction_id, station_id, started_at, stopped_at)
CROSS JOIN LATERAL (
    SELECT s.at, s.energy_wh, COALESCE(s.current_sum_a, s.current_a) AS current_a FROM stations_metersample s
    WHERE s.station_id = v.station_id AND s.owner = v.transaction_id AND s.at > v.started_at AND s.at < v.stopped_at
    AND s.energy_wh IS NOT NULL OFFSET 0) m
ORDER BY v.number, m.at
"""


def ended(
    transaction: Transaction, *, energy_wh: Decimal, end: datetime, readings: Iterable[courses.Point] | None = None
) -> Session:
    """An ended transaction with its meter samples, which are read as the engine walks through them: `readings`, or its own.

    `end` before the start (the station's clock was set in between) makes a session without length.
    """
    end = max(transaction.started_at, end)
    return Session(
        start=transaction.started_at,
        end=end,
        time_zone=cases.time_zone_of(transaction),
        samples=_with_current(_samples(transaction, energy_wh, end, readings)),
        charging_end=_charging_end(transaction.charging_ended_at, transaction.started_at, end),
        reserved=_reserved(transaction.reserved_at, transaction.started_at),
    )


def so_far(known: ports.SoFar) -> Session:
    """A session as if it ended then, with the energy known by then and, if it is known, how that rose."""
    until, energy_wh = max(known.started_at, known.until), max(known.energy_wh, Decimal(0))
    samples = [Sample(known.started_at, Decimal(0)), *_rising(known.course, known.started_at, until, energy_wh)]
    samples.append(Sample(until, energy_wh))
    return Session(
        start=known.started_at,
        end=until,
        time_zone=known.time_zone,
        samples=list(_with_current(samples)),
        charging_end=_charging_end(known.charging_ended_at, known.started_at, until),
        reserved=_reserved(known.reserved_at, known.started_at),
    )


def _charging_end(told: datetime | None, start: datetime, end: datetime) -> datetime:
    """Within the session, of which somebody may have corrected the times since."""
    return end if told is None else min(max(told, start), end)


def _reserved(since: datetime | None, start: datetime) -> Reserved | None:
    """Until the session began, which somebody may have corrected since."""
    return None if since is None else Reserved(min(since, start), start)


def registers(transaction: Transaction, end: datetime) -> QuerySet[MeterSample, tuple[datetime, Decimal, Decimal | None]]:
    """Time, register (Wh) and current (A) of the transaction's samples between its start and its end."""
    # Station and time first: the head of the natural key's index, and the months to look in.
    samples = MeterSample.objects.filter(station_id=transaction.station_id, at__gt=transaction.started_at, at__lt=end)
    samples = samples.filter(transaction_id=transaction.pk, energy_wh__isnull=False)
    return samples.order_by("at").values_list("at", "energy_wh", Coalesce("current_sum_a", "current_a"))


class Readings:
    """The registers of many transactions, as `registers` has those of one: a single statement, read a piece at a time.

    Whoever asks for them does so in the order in which the transactions were given; what is not read is passed over.
    """

    def __init__(self, transactions: Sequence[Transaction]) -> None:
        self._numbers = {one.pk: number for number, one in enumerate(transactions)}
        self._rows = _rows(transactions) if transactions else iter(())
        self._next = next(self._rows, None)

    def of(self, transaction: Transaction) -> Iterator[courses.Point]:
        number = self._numbers.get(transaction.pk, -1)
        while self._next is not None and self._next[0] <= number:
            (mine, at, register, current_a), self._next = self._next, next(self._rows, None)
            if mine == number:
                yield at, register, current_a


def _rows(transactions: Sequence[Transaction]) -> Iterator[tuple[int, datetime, Decimal, Decimal | None]]:
    given = [(one.pk, one.station_id, one.started_at, one.stopped_at or one.started_at) for one in transactions]
    pks, stations, starts, ends = (list(column) for column in zip(*given, strict=True))
    with connection.chunked_cursor() as cursor:
        cursor.execute(REGISTERS, [list(range(len(given))), pks, stations, starts, ends])
        while rows := cursor.fetchmany(READ_AT_ONCE):
            yield from rows


def _samples(
    transaction: Transaction, energy_wh: Decimal, end: datetime, readings: Iterable[courses.Point] | None
) -> Iterator[Sample]:
    """From nothing at the start to `energy_wh` at the end, by way of the meter's samples in between."""
    yield Sample(transaction.started_at, Decimal(0))
    first = transaction.meter_start_wh
    if first is not None:
        known = registers(transaction, end).iterator(chunk_size=READ_AT_ONCE) if readings is None else readings
        rises = ((at, register - first, current_a) for at, register, current_a in known)
        yield from _rising(rises, transaction.started_at, end, energy_wh)
    yield Sample(end, energy_wh)


def _with_current(samples: Iterable[Sample]) -> Iterator[Sample]:
    """A current holds until another is read, and the first one also from the start: few chargers say it of the moment they begin.

    If none of the first READ_AT_ONCE says one, what comes before the first that does has none.
    """
    rest = iter(samples)
    first = list(islice(rest, READ_AT_ONCE))
    held = next((one.current_a for one in first if one.current_a is not None), None)
    for one in chain(first, rest):
        held = held if one.current_a is None else one.current_a
        yield one if one.current_a == held else replace(one, current_a=held)


def _rising(read: Iterable[courses.Point], start: datetime, end: datetime, energy_wh: Decimal) -> Iterator[Sample]:
    """Readings in the order of time, as a series that never falls and ends with the session's energy: one that fell counts as much
    as the one before it, one that jumped above all of the session and came back not at all."""
    counted = Decimal(0)
    above: datetime | None = None
    for at, energy, current_a in read:
        if not start < at < end:
            continue
        if energy > energy_wh:
            above = above or at
            continue
        if energy < energy_wh:
            above = None
        elif above is not None:
            yield Sample(above, energy_wh)
            above = None
        counted = max(energy, counted)
        yield Sample(at, counted, None, current_a)
    if above is not None:
        yield Sample(above, energy_wh)
