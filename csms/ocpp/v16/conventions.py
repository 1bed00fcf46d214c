"""What OCPP 1.6 stations and we say to each other in DataTransfer by agreement, beyond the version: payloads of a later one.

`VENDORS` reads what stations send: by vendor and message, the translator of the payload within. `PNC` speaks to stations that know
Plug & Charge (Open Charge Alliance, "Using ISO 15118 Plug & Charge with OCPP 1.6"): the `data` is a JSON text of 2.0.1's payload.
"""

import orjson

from csms.ocpp import costs, mend, schemas
from csms.ocpp.errors import Code, InvalidPayload
from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.v16 import costmessages
from csms.ocpp.v201 import authorization, remotecontrol
from csms.ocpp.v201 import security as v201
from stations.domain.certificates import CertificateType
from stations.domain.commands import Command, Outcome, Verdict
from stations.domain.event import Done, Event, Reply
from stations.domain.events import (
    CertificateRequestAnswered,
    CertificateRequested,
    CertificateStatusAnswered,
    ContractCertificateAnswered,
    TokenAnswered,
    VendorMessageReceived,
    VendorStatus,
)
from stations.domain.values import Note, Severity

#: Where the payloads within come from.
WITHIN = "ocpp2.0.1"
PNC_VENDOR = "org.openchargealliance.iso15118pnc"


class SignCertificate(v201.SignCertificate):
    """Without a type it is the one for vehicles: for its own a station has a message of the version."""

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> CertificateRequested:
        return CertificateRequested(payload["csr"], payload.get("certificateType") or CertificateType.V2G.value)


#: What stations send: vendor to message to translator. A payload is checked by 2.0.1's schema of the translator's action, if it has
#: one of that name.
VENDORS: dict[str, dict[str, type[Incoming]]] = {
    PNC_VENDOR: {
        "Authorize": authorization.Authorize,
        "GetCertificateStatus": v201.GetCertificateStatus,
        "Get15118EVCertificate": v201.Get15118EVCertificate,
        "SignCertificate": SignCertificate,
    },
    costs.VENDOR: costmessages.INCOMING,
}
#: The translator that answers within an answer, by what it answers with; of others nothing is said but that they were accepted.
ANSWERS: dict[type[Reply], type[Incoming]] = {
    TokenAnswered: authorization.Authorize,
    CertificateRequestAnswered: SignCertificate,
    CertificateStatusAnswered: v201.GetCertificateStatus,
    ContractCertificateAnswered: v201.Get15118EVCertificate,
}


def inner(payload: Payload) -> Payload | None:
    """The payload in a DataTransfer's `data`, if it is one. Some send it as it is, where the agreement has a text of JSON."""
    data = payload.get("data")
    try:
        found = orjson.loads(data) if isinstance(data, str) else data
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def read(payload: Payload, notes: list[Note]) -> Event:
    """What a station's DataTransfer says: by agreement, or else as it stands there."""
    vendor, message, data = payload["vendorId"], payload.get("messageId"), payload.get("data")
    if vendor not in VENDORS:
        return VendorMessageReceived(vendor, message, data)
    translator = VENDORS[vendor].get(message or "")
    if translator is None:
        return VendorMessageReceived(vendor, message, data, VendorStatus.UNKNOWN_MESSAGE)
    # What PostgreSQL cannot hold is seen only now: in the frame it is an escape within an escape.
    within = mend.storable(inner(payload), notes)
    problem = f"The data of {message} is not the JSON text that was agreed on."
    if within is not None and _fits(translator.action, within):
        try:
            return translator.decode(within, notes)
        except InvalidPayload as error:
            problem = error.description
    notes.append(Note("vendor_data_unreadable", f"{vendor} {message}"[:200], problem, Severity.WARNING))
    return VendorMessageReceived(vendor, message, data, VendorStatus.REJECTED)


def _fits(action: str, payload: Payload) -> bool:
    return action not in schemas.actions(WITHIN) or schemas.validator(WITHIN, action).is_valid(payload)


def answered(reply: Reply) -> Payload:
    """A reply within the answer to a DataTransfer."""
    translator = ANSWERS.get(type(reply))
    if translator is None:
        assert isinstance(reply, Done), f"nobody answers with {type(reply).__name__}"
        return {"status": VendorStatus.ACCEPTED.value}
    return {"status": VendorStatus.ACCEPTED.value, "data": orjson.dumps(translator.encode(reply)).decode()}


# What we ask of stations


class Tunnelled(Outgoing):
    """A command in DataTransfer, as the `within` of 2.0.1 says it. Chosen where the version itself has no words."""

    action = "DataTransfer"
    within: type[Outgoing]

    @classmethod
    def encode(cls, command: Command, number: int, limits: dict[str, int]) -> list[Payload]:
        payloads = cls.within.encode(command, number, limits)
        said = {"vendorId": PNC_VENDOR, "messageId": cls.within.action}
        return [said | {"data": orjson.dumps(payload).decode()} for payload in payloads]

    @classmethod
    def parse(cls, payload: Payload) -> Command:
        return cls.within.parse(inner(payload) or {})

    @classmethod
    def decode(cls, command: Command, sent: Payload, answer: Payload) -> Outcome:
        if answer["status"] != VendorStatus.ACCEPTED:
            return Outcome(Verdict.REJECTED, answer["status"])
        told = inner(answer)
        if told is None:
            raise InvalidPayload(Code.FORMAT_VIOLATION, f"The data is not {cls.within.action}'s answer as JSON text.")
        mend.validate(WITHIN, f"{cls.within.action}Response", told)
        return cls.within.decode(command, inner(sent) or {}, told)


class PncInstallCertificate(Tunnelled):
    command = v201.InstallCertificate.command
    within = v201.InstallCertificate


class PncDeleteCertificate(Tunnelled):
    command = v201.DeleteCertificate.command
    within = v201.DeleteCertificate


class PncGetInstalledCertificateIds(Tunnelled):
    command = v201.GetInstalledCertificateIds.command
    within = v201.GetInstalledCertificateIds


class PncCertificateSigned(Tunnelled):
    command = v201.CertificateSigned.command
    within = v201.CertificateSigned


class PncTriggerMessage(Tunnelled):
    command = remotecontrol.TriggerMessage.command
    within = remotecontrol.TriggerMessage


#: What stations are asked: vendor to message to translator.
ASKED: dict[str, dict[str, type[Outgoing]]] = {
    PNC_VENDOR: {
        one.within.action: one
        for one in (
            PncInstallCertificate,
            PncDeleteCertificate,
            PncGetInstalledCertificateIds,
            PncCertificateSigned,
            PncTriggerMessage,
        )
    },
}


def asked(payload: Payload) -> type[Outgoing] | None:
    """The translator of a DataTransfer that is asked word for word, if it is one by agreement."""
    translator = ASKED.get(payload["vendorId"], {}).get(payload.get("messageId") or "")
    within = inner(payload)
    return translator if translator is not None and within is not None and _fits(payload["messageId"], within) else None
