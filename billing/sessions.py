"""From a station's transaction to the session that the tariff engine prices."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from billing.tariff import Sample, Session
from stations import ports
from stations.models import MeterSample, Transaction


def ended(transaction: Transaction, *, energy_wh: Decimal, end: datetime) -> Session:
    """An ended transaction with its meter samples, which are read as the engine walks through them.

    `end` before the start (the station's clock was set in between) makes a session without length.
    """
    end = max(transaction.started_at, end)
    return Session(
        start=transaction.started_at,
        end=end,
        time_zone=time_zone(transaction),
        samples=_samples(transaction, energy_wh, end),
        charging_end=end,  # no station of today's protocols says when the vehicle had enough
    )


def so_far(known: ports.SoFar) -> Session:
    """A session as if it ended then, with the energy known by then and, if it is known, how that rose."""
    until, energy_wh = max(known.started_at, known.until), max(known.energy_wh, Decimal(0))
    samples = [Sample(known.started_at, Decimal(0)), *_rising(known.course, known.started_at, until, energy_wh)]
    samples.append(Sample(until, energy_wh))
    return Session(start=known.started_at, end=until, time_zone=known.time_zone, samples=samples, charging_end=until)


def time_zone(transaction: Transaction) -> str:
    site = transaction.station.site
    return site.time_zone if site else "UTC"


def registers(transaction: Transaction, end: datetime) -> QuerySet[MeterSample, tuple[datetime, Decimal]]:
    """Time and register (Wh) of the transaction's samples between its start and its end."""
    # Station and time first: the head of the natural key's index, and the months to look in.
    samples = MeterSample.objects.filter(station_id=transaction.station_id, at__gt=transaction.started_at, at__lt=end)
    return samples.filter(transaction_id=transaction.pk, energy_wh__isnull=False).order_by("at").values_list("at", "energy_wh")


def _samples(transaction: Transaction, energy_wh: Decimal, end: datetime) -> Iterator[Sample]:
    """From nothing at the start to `energy_wh` at the end, by way of the meter's samples in between."""
    yield Sample(transaction.started_at, Decimal(0))
    first = transaction.meter_start_wh
    if first is not None:
        read = ((at, register - first) for at, register in registers(transaction, end).iterator(chunk_size=1000))
        yield from _rising(read, transaction.started_at, end, energy_wh)
    yield Sample(end, energy_wh)


def _rising(read: Iterable[tuple[datetime, Decimal]], start: datetime, end: datetime, energy_wh: Decimal) -> Iterator[Sample]:
    """Readings in the order of time, as a series that never falls: one that jumped and came back is kept between what was counted
    before and the session's energy."""
    counted = Decimal(0)
    for at, energy in read:
        if start < at < end:
            counted = min(max(energy, counted), energy_wh)
            yield Sample(at, counted)
