"""The network profiles of a simulated OCPP 2.0.1 station (B09)."""

from typing import Any

from ocpp.v201 import call_result
from ocpp.v201.enums import Action

from csms.simulator.answering import AnsweringLink, answers


class NetworkLink201(AnsweringLink):
    @answers(Action.set_network_profile)
    def on_set_network_profile(self, configuration_slot: int, connection_data: dict[str, Any], **_: Any) -> Any:
        return call_result.SetNetworkProfile(self.station.network.take(configuration_slot, connection_data))
