"""Chapter E: transactions."""

from dataclasses import dataclass
from typing import ClassVar

from stations.domain.command import Command, need_text


@dataclass(frozen=True, slots=True)
class GetTransactionStatus(Command):
    """Ask whether a transaction goes on and whether messages wait that we have not got (OCPP 2.0.1 E14), of this or of any.

    `transaction` is the id it has in OCPP; `row` the transaction that waits for the answer.
    """

    transaction: str | None = None
    row: int | None = None
    kind: ClassVar[str] = "get_transaction_status"
    while_pending: ClassVar[bool] = False
    ours: ClassVar[frozenset[str]] = frozenset({"row"})

    def check(self) -> None:
        if self.transaction is not None:
            need_text("transaction", self.transaction, 36)


ALL: tuple[type[Command], ...] = (GetTransactionStatus,)
