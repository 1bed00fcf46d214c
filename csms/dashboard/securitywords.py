"""Security events in words, and what their certificates are for."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stations.domain.certificates import CertificateType
from stations.models import PublicationStatus, RequestStatus

Word = str | Promise

#: By the type in lower case (OCPP 2.0.1 Part 2 appendix 1; where 1.6 has another name, both). What is not here is a vendor's own.
EVENTS: dict[str, Word] = {
    "firmwareupdated": _("The firmware was updated"),
    "failedtoauthenticateatcsms": _("It could not log in here"),
    "failedtoauthenticateatcentralsystem": _("It could not log in here"),
    "csmsfailedtoauthenticate": _("This system could not prove who it is"),
    "centralsystemfailedtoauthenticate": _("This system could not prove who it is"),
    "settingsystemtime": _("Its clock was set"),
    "startupofthedevice": _("It started"),
    "resetorreboot": _("It was restarted"),
    "securitylogwascleared": _("Its security log was cleared"),
    "reconfigurationofsecurityparameters": _("Security settings were changed"),
    "memoryexhaustion": _("Its memory is full"),
    "invalidmessages": _("It received messages that make no sense"),
    "attemptedreplayattacks": _("Somebody sent old messages again"),
    "tamperdetectionactivated": _("Somebody opened or tampered with it"),
    "invalidfirmwaresignature": _("Firmware with a wrong signature was offered to it"),
    "invalidfirmwaresigningcertificate": _("The certificate of offered firmware is not valid"),
    "invalidcsmscertificate": _("The certificate of this system is not valid for it"),
    "invalidcentralsystemcertificate": _("The certificate of this system is not valid for it"),
    "invalidchargingstationcertificate": _("Its own certificate is not valid"),
    "invalidchargepointcertificate": _("Its own certificate is not valid"),
    "invalidtlsversion": _("This system offered it an outdated encryption (TLS version)"),
    "invalidtlsciphersuite": _("This system offered it a weak encryption (TLS cipher suite)"),
    "maintenanceloginaccepted": _("Somebody logged in at the charger itself"),
    "maintenanceloginfailed": _("Somebody failed to log in at the charger itself"),
}
TYPES: dict[str, Word] = {
    CertificateType.CSMS_ROOT.value: _("Root of this system"),
    CertificateType.MANUFACTURER_ROOT.value: _("Root of the maker"),
    CertificateType.V2G_ROOT.value: _("Root for Plug & Charge (V2G)"),
    CertificateType.MO_ROOT.value: _("Root of a mobility operator"),
    CertificateType.V2G_CHAIN.value: _("Its own, for vehicles"),
    CertificateType.STATION.value: _("Its own"),
    CertificateType.V2G.value: _("Its own, for vehicles"),
}
#: A request's status: its word and its shape.
REQUESTS: dict[str, tuple[Word, str]] = {
    RequestStatus.RECEIVED: (_("Waits to be signed"), "now"),
    RequestStatus.REJECTED: (_("Refused here"), "bad"),
    RequestStatus.SIGNED: (_("Signed, not delivered"), "now"),
    RequestStatus.SENT: (_("On its way to the charger"), "now"),
    RequestStatus.INSTALLED: (_("Installed"), "done"),
    RequestStatus.REFUSED: (_("Refused by the charger"), "bad"),
}
PUBLICATIONS: dict[str, tuple[Word, str]] = {
    PublicationStatus.WAITING: (_("Not asked yet"), "now"),
    PublicationStatus.SENT: (_("Asked"), "now"),
    PublicationStatus.DOWNLOADING: (_("Fetches the file"), "now"),
    PublicationStatus.DOWNLOADED: (_("Has the file"), "now"),
    PublicationStatus.VERIFIED: (_("The file is as it should be"), "now"),
    PublicationStatus.PUBLISHED: (_("Hands it on"), "done"),
    PublicationStatus.FAILED: (_("Failed"), "bad"),
    PublicationStatus.UNPUBLISHED: (_("Taken back"), "done"),
}


def event(kind: str) -> str:
    """What happened, in words; a vendor's own as it is called."""
    return str(EVENTS.get(kind.lower(), kind))


def use(kind: str) -> str:
    return str(TYPES.get(kind, kind))
