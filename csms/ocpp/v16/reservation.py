"""OCPP 1.6 ReserveNow (5.13) and CancelReservation (5.1)."""

from datetime import datetime

from csms.ocpp import times
from csms.ocpp.translator import Outgoing, Payload, Unsayable
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome


class ReserveNow(Outgoing):
    """Connector 0 is whichever the station keeps free (5.13)."""

    action = "ReserveNow"
    command = commands.ReserveNow

    @staticmethod
    def encode(command: commands.ReserveNow, number: int, limits: dict[str, int]) -> list[Payload]:
        if len(command.id_token) > 20 or len(command.group) > 20:
            raise Unsayable("OCPP 1.6 has id tags and groups of at most 20 characters.")
        if command.connector_type:
            raise Unsayable("OCPP 1.6 cannot reserve a type of connector: name the plug.")
        payload: Payload = {
            "connectorId": command.evse or 0,
            "expiryDate": times.emit(datetime.fromisoformat(command.expires_at)),
            "idTag": command.id_token,
            "reservationId": number if command.reservation is None else command.reservation,
        }
        return [payload | ({"parentIdTag": command.group} if command.group else {})]

    @staticmethod
    def parse(payload: Payload) -> commands.ReserveNow:
        return commands.ReserveNow(
            id_token=payload["idTag"],
            expires_at=payload["expiryDate"],
            evse=payload["connectorId"] or None,
            group=payload.get("parentIdTag", ""),
            reservation=payload["reservationId"],
        )

    @staticmethod
    def decode(command: commands.ReserveNow, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"reservation": sent["reservationId"]})


class CancelReservation(Outgoing):
    action = "CancelReservation"
    command = commands.CancelReservation

    @staticmethod
    def encode(command: commands.CancelReservation, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"reservationId": command.reservation}]

    @staticmethod
    def parse(payload: Payload) -> commands.CancelReservation:
        return commands.CancelReservation(payload["reservationId"])

    @staticmethod
    def decode(command: commands.CancelReservation, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"reservation": sent["reservationId"]})
