"""Reads what meters signed of sessions, in the scope of the caller."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from billing.models import MeterKey, SignedCheck, SignedSession
from billing.signedfile import Item
from billing.signedmeter import BadKey, read_key
from stations.models import SignedReading, Station, Transaction

#: Shown of one session, its begin and its end among them.
SHOWN = 200
#: Of one station.
KEYS = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """A signed reading, and what its check came to; None: not checked yet."""

    reading: SignedReading
    check: SignedCheck | None


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed of a session. `result` None: it is not checked yet. `more`: than is shown, which are those in the middle."""

    result: SignedSession | None
    readings: list[Shown]
    more: bool = False

    @property
    def verdict(self) -> str:
        """Empty: it is not checked yet."""
        return self.result.verdict if self.result else ""

    @property
    def keys(self) -> list[MeterKey]:
        """Those with which it was checked, each once."""
        found = {one.check.key.pk: one.check.key for one in self.readings if one.check and one.check.key}
        return list(found.values())


def first_and_last(found: QuerySet[SignedReading], most: int) -> list[SignedReading]:
    """In the order of time. Where there are more than `most`, as many of the first as of the last, in a second query: a session's
    begin and end are among them however often its meter signs.
    """
    rows = list(found.order_by("at", "id")[: most + 1])
    if len(rows) <= most:
        return rows
    return rows[: most // 2] + list(found.order_by("-at", "-id")[: most - most // 2])[::-1]


def of(transaction: Transaction) -> Signed | None:
    """Two queries, four where very much was signed; one where nothing was. None: nothing was."""
    found = SignedReading.objects.filter(transaction=transaction).select_related(
        "check_result__key__registered_by", "check_result__key__evse"
    )
    readings = [Shown(one, getattr(one, "check_result", None)) for one in first_and_last(found, SHOWN)]
    if not readings:
        return None
    more = len(readings) == SHOWN and found.count() > SHOWN
    return Signed(SignedSession.objects.filter(transaction=transaction).first(), readings, more)


def items(transaction: Transaction) -> list[Item]:
    """All of it as files have it, with the key by which each was checked, else that which came with it."""
    found = SignedReading.objects.filter(transaction=transaction).select_related("check_result__key").order_by("at", "id")
    return [Item(transaction.pk, one.context, one.data, _key(one)) for one in found]


def _key(reading: SignedReading) -> str:
    check = getattr(reading, "check_result", None)
    if check is not None and check.key is not None:
        return str(check.key.public_key)
    try:
        return read_key(reading.public_key).der.hex() if reading.public_key else ""
    except BadKey:
        return ""


def keys(station: Station) -> list[MeterKey]:
    found: Iterable[MeterKey] = (
        MeterKey.objects.filter(station=station).select_related("evse", "registered_by").order_by("-id")[:KEYS]
    )
    return list(found)
