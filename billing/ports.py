"""Fills the ports the core declares for prices, and subscribes billing to the transactions that end and to its own records."""

from billing import displayed, meterkeys, receipts, selectors, services
from stations import outbox, ports
from stations.services import signedreadings
from stations.services.afterwards import ENDED_TOPIC


def fill() -> None:
    """Called once, when Django has loaded the apps."""
    ports.running_cost = selectors.running_cost
    ports.prices = displayed.of
    ports.billed = selectors.billed
    outbox.subscribe(ENDED_TOPIC, services.SUBSCRIBER)
    outbox.subscribe(signedreadings.TOPIC, meterkeys.SUBSCRIBER)
    outbox.subscribe(services.RECORD_TOPIC, receipts.SUBSCRIBER)
