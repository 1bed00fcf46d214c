"""Reservations of a simulated OCPP 1.6 station (5.1, 5.13)."""

from datetime import datetime
from typing import Any

from ocpp.v16 import call_result
from ocpp.v16.enums import Action

from csms.simulator.answering import AnsweringLink, answers
from csms.simulator.reservations import Kept


class ReservationLink16(AnsweringLink):
    @answers(Action.reserve_now)
    def on_reserve_now(
        self, connector_id: int, expiry_date: str, id_tag: str, reservation_id: int, parent_id_tag: str = "", **_: Any
    ) -> Any:
        station = self.station
        until = datetime.fromisoformat(expiry_date)
        if connector_id == 0 and not station.configuration.flag("ReserveConnectorZeroSupported"):
            return call_result.ReserveNow("Rejected")
        status = station.reservations.take(Kept(reservation_id, connector_id or None, id_tag, parent_id_tag, until))
        self.then(station.report())
        return call_result.ReserveNow(status)

    @answers(Action.cancel_reservation)
    def on_cancel_reservation(self, reservation_id: int, **_: Any) -> Any:
        status = "Accepted" if self.station.reservations.cancel(reservation_id) else "Rejected"
        self.then(self.station.report())
        return call_result.CancelReservation(status)
