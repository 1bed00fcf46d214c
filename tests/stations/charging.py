"""What tests of transactions share."""

from typing import Any

from stations.models import Finding, Station, Transaction
from tests import v16
from tests.engine import Engine
from tests.network import Network


def started(engine: Engine, station: Station, **fields: Any) -> int:
    number: int = engine.say(station, "StartTransaction", v16.start(**fields))["transactionId"]
    return number


def only(network: Network, station: Station) -> Transaction:
    (transaction,) = network.transactions(station)
    return transaction


def findings(network: Network, transaction: Transaction) -> list[str]:
    rows = Finding.objects.with_scopes_disabled().filter(transaction=transaction)
    return sorted(rows.values_list("code", flat=True))


def due(network: Network) -> list[int]:
    """The transactions whose end was published, once a subscriber."""
    return sorted({entry.object_id for entry in network.outbox() if entry.topic == "transaction_ended"})
