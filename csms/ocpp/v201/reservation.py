"""OCPP 2.0.1 ReserveNow (H01), CancelReservation (H02) and ReservationStatusUpdate (H04)."""

from datetime import datetime

from csms.ocpp import times
from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome
from stations.domain.events import Reply, ReservationLapsed
from stations.domain.values import Note


class ReservationStatusUpdate(Incoming):
    action = "ReservationStatusUpdate"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> ReservationLapsed:
        return ReservationLapsed(payload["reservationId"], expired=payload["reservationUpdateStatus"] == "Expired")

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


class ReserveNow(Outgoing):
    action = "ReserveNow"
    command = commands.ReserveNow

    @staticmethod
    def encode(command: commands.ReserveNow, number: int, limits: dict[str, int]) -> list[Payload]:
        payload: Payload = {
            "id": number if command.reservation is None else command.reservation,
            "expiryDateTime": times.emit(datetime.fromisoformat(command.expires_at)),
            "idToken": {"idToken": command.id_token, "type": command.id_token_type},
        }
        if command.connector_type:
            payload["connectorType"] = command.connector_type
        if command.evse is not None:
            payload["evseId"] = command.evse
        if command.group:
            # As a group is named in every idTokenInfo (C09).
            payload["groupIdToken"] = {"idToken": command.group, "type": "Central"}
        return [payload]

    @staticmethod
    def parse(payload: Payload) -> commands.ReserveNow:
        token = payload["idToken"]
        return commands.ReserveNow(
            id_token=token["idToken"],
            expires_at=payload["expiryDateTime"],
            evse=payload.get("evseId") or None,
            connector_type=payload.get("connectorType", ""),
            id_token_type=token["type"],
            group=(payload.get("groupIdToken") or {}).get("idToken", ""),
            reservation=payload["id"],
        )

    @staticmethod
    def decode(command: commands.ReserveNow, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"reservation": sent["id"]})


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
