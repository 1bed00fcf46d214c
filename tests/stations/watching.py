"""What tests of the watch over transactions share: time that passes, and what the sweep then makes of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django_scopes import scopes_disabled

from stations.models import Command, Connection, Station, Transaction
from stations.services import stale
from tests.network import Network


def later(**passed: float) -> datetime:
    return datetime.now(UTC) + timedelta(**passed)


def swept(station: Station, now: datetime | None = None) -> None:
    """What the sweep would do then, of this station: other tests leave transactions behind that would be due by then."""
    now = now or later(minutes=1, seconds=1)
    with scopes_disabled():
        due = Transaction.objects.filter(station=station, due_at__lte=now).order_by("due_at").values_list("pk", flat=True)
        for pk in list(due):
            stale.look(pk, now=now)


def heard(station: Station, at: datetime) -> None:
    """The station's socket is there, and was heard then."""
    with scopes_disabled():
        Connection.objects.filter(station=station).update(seen_at=at, connected_at=datetime.now(UTC), disconnected_at=None)


def questions(station: Station) -> list[Command]:
    found = Command.objects.with_scopes_disabled().filter(station=station, kind="get_transaction_status")
    return list(found.order_by("id"))


def state(network: Network, station: Station) -> list[tuple[Any, ...]]:
    """Status, doubt and trust of each transaction."""
    return [(t.status, t.doubt, t.trust.value) for t in network.transactions(station)]


def due_in(transaction: Transaction) -> timedelta | None:
    return transaction.due_at and transaction.due_at - datetime.now(UTC)
