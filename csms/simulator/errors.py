"""What can go wrong between a simulated station and a CSMS."""


class SimulatorError(Exception):
    """Base of all."""


class Unreachable(SimulatorError):
    """Nobody answered, or not in WebSocket."""


class HandshakeRefused(SimulatorError):
    """The CSMS answered the handshake with a status that is not 101, or without our sub-protocol (then `status` is 101)."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"the handshake was refused: {status} {reason}".rstrip())
        self.status = status
        self.reason = reason


class StationOffline(SimulatorError):
    """There is no connection, or it ended before the answer came."""


class CallFailed(SimulatorError):
    """A CALL got no good answer."""


class NoAnswer(CallFailed):
    """No answer within the station's time limit."""


class CallRefused(CallFailed):
    """Answered with a CALLERROR."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code = code
        self.description = description


class BadAnswer(CallFailed):
    """Answered with something that the schema of the answer does not allow."""
