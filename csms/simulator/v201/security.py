"""What a CSMS may ask of a simulated OCPP 2.0.1 station about certificates."""

from datetime import datetime
from typing import Any, cast

from ocpp.v201 import call, call_result
from ocpp.v201.enums import Action

from csms.simulator import certificates
from csms.simulator.answering import AnsweringLink, answers
from csms.simulator.clock import wire_time

#: What triggers a request for a certificate, to what it is for.
SIGNED = {
    "SignChargingStationCertificate": "ChargingStationCertificate",
    "SignCombinedCertificate": "ChargingStationCertificate",
    "SignV2GCertificate": "V2GCertificate",
}


class Security201(AnsweringLink):
    @answers(Action.install_certificate)
    def on_install_certificate(self, certificate_type: str, certificate: str, **_: Any) -> Any:
        return call_result.InstallCertificate(cast(Any, certificates.of(self.station).install(certificate_type, certificate)))

    @answers(Action.delete_certificate)
    def on_delete_certificate(self, certificate_hash_data: dict[str, Any], **_: Any) -> Any:
        return call_result.DeleteCertificate(cast(Any, certificates.of(self.station).delete(certificate_hash_data)))

    @answers(Action.get_installed_certificate_ids)
    def on_get_installed_certificate_ids(self, certificate_type: list[str] | None = None, **_: Any) -> Any:
        found = certificates.of(self.station).listed(certificate_type)
        chains = [{"certificate_type": kind, "certificate_hash_data": named} for kind, named in found]
        return call_result.GetInstalledCertificateIds(
            cast(Any, "Accepted" if chains else "NotFound"), certificate_hash_data_chain=cast(Any, chains or None)
        )

    @answers(Action.certificate_signed)
    def on_certificate_signed(self, certificate_chain: str, certificate_type: str | None = None, **_: Any) -> Any:
        status = certificates.of(self.station).take(certificate_chain, certificate_type or certificates.OWN[0])
        if status == "Rejected":
            event = security_event(self.station.clock.now(), "InvalidChargingStationCertificate")
            self.then(self.station.call(event))
        return call_result.CertificateSigned(cast(Any, status))

    async def ask_for_certificate(self, kind: str) -> None:
        request = certificates.of(self.station).request()
        await self.station.call(call.SignCertificate(request, certificate_type=cast(Any, kind)))


def security_event(at: datetime, kind: str, info: str | None = None) -> Any:
    """A SecurityEventNotification."""
    return call.SecurityEventNotification(kind, wire_time(at), info)
