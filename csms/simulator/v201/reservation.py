"""Reservations of a simulated OCPP 2.0.1 station (chapter H)."""

from datetime import datetime
from typing import Any

from ocpp.v201 import call_result
from ocpp.v201.enums import Action

from csms.simulator.answering import AnsweringLink, answers
from csms.simulator.reservations import Kept
from csms.simulator.v201.devicemodel import PLUGS


class ReservationLink201(AnsweringLink):
    @answers(Action.reserve_now)
    def on_reserve_now(
        self,
        id: int,
        expiry_date_time: str,
        id_token: dict[str, Any],
        connector_type: str | None = None,
        evse_id: int | None = None,
        group_id_token: dict[str, Any] | None = None,
        **_: Any,
    ) -> Any:
        station = self.station
        kinds = {PLUGS.get(one.supply.plug) for one in station.connectors if evse_id in (None, one.id)}
        if connector_type is not None and connector_type not in kinds:
            return call_result.ReserveNow("Rejected")
        group = group_id_token["id_token"] if group_id_token else ""
        until = datetime.fromisoformat(expiry_date_time)
        status = station.reservations.take(Kept(id, evse_id, id_token["id_token"], group, until))
        self.then(station.report())
        return call_result.ReserveNow(status)

    @answers(Action.cancel_reservation)
    def on_cancel_reservation(self, reservation_id: int, **_: Any) -> Any:
        status = "Accepted" if self.station.reservations.cancel(reservation_id) else "Rejected"
        self.then(self.station.report())
        return call_result.CancelReservation(status)
