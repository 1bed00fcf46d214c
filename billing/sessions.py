"""From a station's transaction to the session that the tariff engine prices."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import QuerySet

from billing.tariff import Sample, Session
from stations.models import MeterSample, Transaction

Reading = tuple[datetime, Decimal]
#: Samples that are held at once, however long a session is.
READ_AT_ONCE = 1000
# The subquery stays one (OFFSET 0), so that each transaction's samples are found by the index of station and time, in its months.
REGISTERS = """
SELECT v.number, m.at, m.energy_wh
FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])
    AS v(number, transaction_id, station_id, started_at, stopped_at)
CROSS JOIN LATERAL (
    SELECT s.at, s.energy_wh FROM stations_metersample s
    WHERE s.station_id = v.station_id AND s.owner = v.transaction_id AND s.at > v.started_at AND s.at < v.stopped_at
    AND s.energy_wh IS NOT NULL OFFSET 0) m
ORDER BY v.number, m.at
"""


def ended(transaction: Transaction, *, energy_wh: Decimal, end: datetime, readings: Iterable[Reading] | None = None) -> Session:
    """An ended transaction with its meter samples, which are read as the engine walks through them: `readings`, or its own.

    `end` before the start (the station's clock was set in between) makes a session without length.
    """
    end = max(transaction.started_at, end)
    return Session(
        start=transaction.started_at,
        end=end,
        time_zone=time_zone(transaction),
        samples=_samples(transaction, energy_wh, end, readings),
        charging_end=end,  # no station of today's protocols says when the vehicle had enough
    )


def running(transaction: Transaction, *, now: datetime, time_zone: str) -> Session:
    """A running transaction as if it ended now, with the energy known so far."""
    return so_far(transaction.started_at, now, transaction.energy_wh or Decimal(0), time_zone)


def so_far(started_at: datetime, until: datetime, energy_wh: Decimal, time_zone: str) -> Session:
    """A session of which no more is known than its energy until then."""
    until, energy_wh = max(started_at, until), max(energy_wh, Decimal(0))
    samples = (Sample(started_at, Decimal(0)), Sample(until, energy_wh))
    return Session(start=started_at, end=until, time_zone=time_zone, samples=samples, charging_end=until)


def time_zone(transaction: Transaction) -> str:
    site = transaction.station.site
    return site.time_zone if site else "UTC"


def registers(transaction: Transaction, end: datetime) -> QuerySet[MeterSample, tuple[datetime, Decimal]]:
    """Time and register (Wh) of the transaction's samples between its start and its end."""
    # Station and time first: the head of the natural key's index, and the months to look in.
    samples = MeterSample.objects.filter(station_id=transaction.station_id, at__gt=transaction.started_at, at__lt=end)
    return samples.filter(transaction_id=transaction.pk, energy_wh__isnull=False).order_by("at").values_list("at", "energy_wh")


class Readings:
    """The registers of many transactions, as `registers` has those of one: a single statement, read a piece at a time.

    Whoever asks for them does so in the order in which the transactions were given; what is not read is passed over.
    """

    def __init__(self, transactions: Sequence[Transaction]) -> None:
        self._numbers = {one.pk: number for number, one in enumerate(transactions)}
        self._rows = _rows(transactions) if transactions else iter(())
        self._next = next(self._rows, None)

    def of(self, transaction: Transaction) -> Iterator[Reading]:
        number = self._numbers.get(transaction.pk, -1)
        while self._next is not None and self._next[0] <= number:
            (mine, at, register), self._next = self._next, next(self._rows, None)
            if mine == number:
                yield at, register


def _rows(transactions: Sequence[Transaction]) -> Iterator[tuple[int, datetime, Decimal]]:
    given = [(one.pk, one.station_id, one.started_at, one.stopped_at or one.started_at) for one in transactions]
    pks, stations, starts, ends = (list(column) for column in zip(*given, strict=True))
    with connection.chunked_cursor() as cursor:
        cursor.execute(REGISTERS, [list(range(len(given))), pks, stations, starts, ends])
        while rows := cursor.fetchmany(READ_AT_ONCE):
            yield from rows


def _samples(transaction: Transaction, energy_wh: Decimal, end: datetime, readings: Iterable[Reading] | None) -> Iterator[Sample]:
    """From nothing at the start to `energy_wh` at the end, by way of the meter's samples in between.

    A register that jumped and came back is kept between what was counted before and the transaction's energy, so that the
    series never falls.
    """
    yield Sample(transaction.started_at, Decimal(0))
    first = transaction.meter_start_wh
    if first is not None:
        counted = Decimal(0)
        known = registers(transaction, end).iterator(chunk_size=READ_AT_ONCE) if readings is None else readings
        for at, register in known:
            counted = min(max(register - first, counted), energy_wh)
            yield Sample(at, counted)
    yield Sample(end, energy_wh)
