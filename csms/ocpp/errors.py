"""What can go wrong with a message, and the one place that maps it to an OCPP error code."""

from enum import StrEnum


class Code(StrEnum):
    """CALLERROR codes in the spelling of 2.0.1; `spelled` gives a version's own."""

    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    INTERNAL_ERROR = "InternalError"
    PROTOCOL_ERROR = "ProtocolError"
    SECURITY_ERROR = "SecurityError"
    FORMAT_VIOLATION = "FormatViolation"
    PROPERTY_CONSTRAINT_VIOLATION = "PropertyConstraintViolation"
    OCCURRENCE_CONSTRAINT_VIOLATION = "OccurrenceConstraintViolation"
    TYPE_CONSTRAINT_VIOLATION = "TypeConstraintViolation"
    GENERIC_ERROR = "GenericError"
    MESSAGE_TYPE_NOT_SUPPORTED = "MessageTypeNotSupported"
    RPC_FRAMEWORK_ERROR = "RpcFrameworkError"


#: The misspellings are official (OCPP-J 1.6 table 7); 1.6 lacks the two codes that 2.0.1 added.
SPELLED_V16 = {
    Code.FORMAT_VIOLATION: "FormationViolation",
    Code.OCCURRENCE_CONSTRAINT_VIOLATION: "OccurenceConstraintViolation",
    Code.MESSAGE_TYPE_NOT_SUPPORTED: "GenericError",
    Code.RPC_FRAMEWORK_ERROR: "FormationViolation",
}


def spelled(code: Code, protocol: str) -> str:
    """The code as the protocol writes it."""
    return SPELLED_V16.get(code, code.value) if protocol == "ocpp1.6" else code.value


class MessageError(Exception):
    """A CALL cannot be answered with a result. Subclasses say why; `code` is what the station is told."""

    code = Code.GENERIC_ERROR

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class UnknownAction(MessageError):
    """No version of the protocol that was negotiated has this action."""

    code = Code.NOT_IMPLEMENTED


class UnsupportedAction(MessageError):
    """The action exists, but this system does not do it."""

    code = Code.NOT_SUPPORTED


class NotAcceptedYet(MessageError):
    """The station has not been accepted by a BootNotification (OCPP 2.0.1 B02, 1.6 errata 3.10)."""

    code = Code.SECURITY_ERROR


class HandlerFailed(MessageError):
    """Our own fault."""

    code = Code.INTERNAL_ERROR


class InvalidPayload(MessageError):
    """The payload breaks the schema beyond mending; `code` depends on how."""

    def __init__(self, code: Code, description: str) -> None:
        super().__init__(description)
        self.code = code
