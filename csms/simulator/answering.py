"""A line that answers the CSMS's CALLs.

Handlers answer at once; what the answer promises is done by a task of the station, because the package's read loop waits for
a handler and could not hear the answer to a CALL made in one. Actions without a handler get NotSupported.
"""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ocpp import routing

from csms.simulator.link import Link

if TYPE_CHECKING:
    from csms.simulator.station import SimulatedStation

Handler = TypeVar("Handler", bound=Callable[..., Any])


def answers(action: str) -> Callable[[Handler], Handler]:
    """The package's `on`, with types."""
    return cast(Callable[[Handler], Handler], routing.on(action))


class AnsweringLink(Link):
    """Handlers come from a subclass for each version."""

    def __init__(self, station: "SimulatedStation", socket: Any) -> None:
        super().__init__(station.identity, socket, answer_timeout_s=station.answer_timeout_s)
        self.station = station
        self._promised: list[Coroutine[Any, Any, Any]] = []

    def then(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do this once the answer has gone out: a reset must not close the socket before."""
        self._promised.append(work)

    async def _handle_call(self, msg: Any) -> Any:
        try:
            return await super()._handle_call(msg)
        finally:
            promised, self._promised = self._promised, []
            for work in promised:
                self.station.spawn(work)
