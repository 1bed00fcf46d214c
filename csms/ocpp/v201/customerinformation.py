"""OCPP 2.0.1 CustomerInformation and NotifyCustomerInformation (N09-N10)."""

from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome
from stations.domain.events import CustomerInformationTold, Reply
from stations.domain.values import Note

#: Of a certificate: as OCPP and as we call it.
CERTIFICATE = {
    "hashAlgorithm": "hash_algorithm",
    "issuerNameHash": "issuer_name_hash",
    "issuerKeyHash": "issuer_key_hash",
    "serialNumber": "serial_number",
}


class NotifyCustomerInformation(Incoming):
    action = "NotifyCustomerInformation"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> CustomerInformationTold:
        return CustomerInformationTold(payload["requestId"], payload["seqNo"], not payload.get("tbc", False), payload["data"])

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


class CustomerInformation(Outgoing):
    action = "CustomerInformation"
    command = commands.CustomerInformation

    @staticmethod
    def encode(command: commands.CustomerInformation, number: int, limits: dict[str, int]) -> list[Payload]:
        payload: Payload = {"requestId": number, "report": command.report, "clear": command.clear}
        if command.id_token is not None:
            payload["idToken"] = {"idToken": command.id_token, "type": command.id_token_type or "ISO14443"}
        if command.customer_identifier is not None:
            payload["customerIdentifier"] = command.customer_identifier
        if command.customer_certificate is not None:
            payload["customerCertificate"] = {theirs: command.customer_certificate[ours] for theirs, ours in CERTIFICATE.items()}
        return [payload]

    @staticmethod
    def parse(payload: Payload) -> commands.CustomerInformation:
        token, certificate = payload.get("idToken"), payload.get("customerCertificate")
        return commands.CustomerInformation(
            payload["report"],
            payload["clear"],
            token["idToken"] if token else None,
            token["type"] if token else None,
            payload.get("customerIdentifier"),
            {ours: certificate[theirs] for theirs, ours in CERTIFICATE.items()} if certificate else None,
        )

    @staticmethod
    def decode(command: commands.CustomerInformation, sent: Payload, answer: Payload) -> Outcome:
        facts = {"request_id": sent["requestId"]}
        if sent["clear"] and (token := sent.get("idToken")):
            # A local list that has it must be told (OCPP 2.0.1 N10.FR.02).
            return outcome(answer, facts=facts | {"forgotten": [token["idToken"], token["type"]]})
        return outcome(answer, facts=facts)
