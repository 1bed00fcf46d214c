"""How the domain's words appear to people: label, colour token and icon letter beside each value."""

from stations.domain.commands import COMMANDS
from stations.domain.values import (
    ConnectorStatus,
    Doubt,
    MessageFormat,
    MessagePriority,
    MessageState,
    Payer,
    Reconstruction,
    Registration,
    Severity,
    TransactionStatus,
)


def choices(enum: type) -> list[tuple[str, str]]:
    """Django choices of a StrEnum."""
    return [(member.value, member.value) for member in enum]  # type: ignore[attr-defined]


REGISTRATION = choices(Registration)
CONNECTOR_STATUS = choices(ConnectorStatus)
SEVERITY = choices(Severity)
TRANSACTION_STATUS = choices(TransactionStatus)
DOUBT = [(d.value, d.value.replace("_", " ") or "none") for d in Doubt]
PAYER = [(p.value, p.value.replace("_", " ") or "not noted") for p in Payer]
RECONSTRUCTION = [(r.value, r.value or "none") for r in Reconstruction]
MESSAGE_PRIORITY = choices(MessagePriority)
MESSAGE_STATE = choices(MessageState)
MESSAGE_FORMAT = choices(MessageFormat)
COMMAND_KINDS = [(kind, kind) for kind in COMMANDS]
