"""The certificates of vehicles' contracts (Plug & Charge, OCPP 2.0.1 C07, and by agreement over 1.6): what can be said of one.

Nothing good, yet: no authority is set up here that vouches for one, and no responder is asked whether it was revoked. One that is
over is over; of all others it is said that their chain could not be checked, and nobody charges by them.
"""

from stations.batch import Batch, clean
from stations.domain.command import BadCommand
from stations.domain.events import TokenPresented
from stations.domain.values import AuthorizationStatus, Note, Severity
from stations.services import x509reading

EXPIRED, UNVERIFIABLE = "CertificateExpired", "CertChainError"
#: What a driver with such a certificate is told.
REFUSALS = {EXPIRED: AuthorizationStatus.EXPIRED, UNVERIFIABLE: AuthorizationStatus.INVALID}
NOBODY = "No authority is set up here that vouches for contracts, and no responder is asked whether they were revoked."


def status(event: TokenPresented, batch: Batch) -> str:
    """What came of a contract's certificate (OCPP 2.0.1 AuthorizeCertificateStatusEnumType)."""
    about = ", ".join(one.serial_number for one in event.certificate_hashes)
    if event.certificate:
        try:
            own = x509reading.certificates(event.certificate)[0]
        except BadCommand as error:
            return _unverifiable(batch, event, str(error))
        if own.not_valid_after_utc <= batch.now:
            return EXPIRED
        about = x509reading.name_of(own.subject)
    return _unverifiable(batch, event, f"{clean(about)}: {NOBODY}")


def _unverifiable(batch: Batch, event: TokenPresented, detail: str) -> str:
    batch.note(Note("contract_unverifiable", clean(event.token.value)[:200], detail, Severity.INFO))
    return UNVERIFIABLE
