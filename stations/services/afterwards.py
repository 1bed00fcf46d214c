"""After the end of a transaction: who acts on it hears of it once it is trusted, and again of what comes late."""

from stations.batch import Batch
from stations.domain.values import TransactionStatus
from stations.state import TransactionState

ENDED_TOPIC = "transaction_ended"


def late(batch: Batch, transaction: TransactionState) -> None:
    """Something was told of a transaction. If it had ended, it may cost something else now: whoever bills it looks again."""
    if transaction.status == TransactionStatus.ENDED.value and not transaction.doubt:
        batch.publish(ENDED_TOPIC, transaction.id)
