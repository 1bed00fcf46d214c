"""What a CSMS may ask of the security extension of a simulated OCPP 1.6 station; Plug & Charge it speaks in DataTransfer."""

import json
from typing import Any, cast

from ocpp.charge_point import camel_to_snake_case, snake_to_camel_case
from ocpp.v16 import call, call_result
from ocpp.v16.enums import Action

from csms.simulator import certificates
from csms.simulator.answering import AnsweringLink, answers
from csms.simulator.clock import wire_time

PNC = "org.openchargealliance.iso15118pnc"
#: What 2.0.1 calls the types of this version.
TYPES = {
    "CentralSystemRootCertificate": "CSMSRootCertificate",
    "ManufacturerRootCertificate": "ManufacturerRootCertificate",
}


class Security16(AnsweringLink):
    @answers(Action.install_certificate)
    def on_install_certificate(self, certificate_type: str, certificate: str, **_: Any) -> Any:
        status = certificates.of(self.station).install(TYPES[certificate_type], certificate)
        if status == "Rejected":
            self.then(self.station.call(self.event("InvalidCentralSystemCertificate")))
        return call_result.InstallCertificate(cast(Any, status))

    @answers(Action.delete_certificate)
    def on_delete_certificate(self, certificate_hash_data: dict[str, Any], **_: Any) -> Any:
        return call_result.DeleteCertificate(cast(Any, certificates.of(self.station).delete(certificate_hash_data)))

    @answers(Action.get_installed_certificate_ids)
    def on_get_installed_certificate_ids(self, certificate_type: str, **_: Any) -> Any:
        found = [named for _, named in certificates.of(self.station).listed([TYPES[certificate_type]])]
        return call_result.GetInstalledCertificateIds(cast(Any, "Accepted" if found else "NotFound"), cast(Any, found or None))

    @answers(Action.certificate_signed)
    def on_certificate_signed(self, certificate_chain: str, **_: Any) -> Any:
        status = certificates.of(self.station).take(certificate_chain, certificates.OWN[0])
        if status == "Rejected":
            self.then(self.station.call(self.event("InvalidChargePointCertificate")))
        return call_result.CertificateSigned(cast(Any, status))

    @answers(Action.extended_trigger_message)
    def on_extended_trigger_message(self, requested_message: str, connector_id: int | None = None, **_: Any) -> Any:
        station = self.station
        if requested_message == "SignChargePointCertificate":
            self.then(station.call(call.SignCertificate(certificates.of(station).request())))
        elif requested_message == "LogStatusNotification":
            self.then(station.call(call.LogStatusNotification(cast(Any, "Idle"), 0)))
        else:
            shared: Any = self.on_trigger_message(requested_message, connector_id)  # type: ignore[attr-defined]  # of the whole link
            return call_result.ExtendedTriggerMessage(shared.status)
        return call_result.ExtendedTriggerMessage(cast(Any, "Accepted"))

    def event(self, kind: str, info: str | None = None) -> Any:
        return security_event(self.station.clock.now(), kind, info)

    def plug_and_charge(self, message_id: str | None, data: str | None) -> Any:
        """A command in DataTransfer: 2.0.1's payload as JSON text, answered by the same."""
        try:
            asked = camel_to_snake_case(json.loads(data or ""))
        except ValueError:
            return call_result.DataTransfer(cast(Any, "Rejected"))
        store = certificates.of(self.station)
        told: dict[str, Any]
        match message_id:
            case "InstallCertificate":
                told = {"status": store.install(asked["certificate_type"], asked["certificate"])}
            case "DeleteCertificate":
                told = {"status": store.delete(asked["certificate_hash_data"])}
            case "CertificateSigned":
                told = {"status": store.take(asked["certificate_chain"], asked.get("certificate_type") or certificates.OWN[1])}
            case "GetInstalledCertificateIds":
                found = store.listed(asked.get("certificate_type"))
                chains = [{"certificate_type": kind, "certificate_hash_data": named} for kind, named in found]
                told = {"status": "Accepted", "certificate_hash_data_chain": chains} if chains else {"status": "NotFound"}
            case "TriggerMessage" if asked["requested_message"] == "SignV2GCertificate":
                wanted = json.dumps({"csr": store.request(), "certificateType": certificates.OWN[1]})
                self.then(self.station.call(call.DataTransfer(PNC, "SignCertificate", wanted)))
                told = {"status": "Accepted"}
            case _:
                return call_result.DataTransfer(cast(Any, "UnknownMessageId"))
        return call_result.DataTransfer(cast(Any, "Accepted"), json.dumps(snake_to_camel_case(told)))


def security_event(at: Any, kind: str, info: str | None = None) -> Any:
    """A SecurityEventNotification."""
    return call.SecurityEventNotification(kind, wire_time(at), info)
