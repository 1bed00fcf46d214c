"""Stations' requests for certificates (OCPP 2.0.1 A02, A03; 1.6 security whitepaper A02): kept, judged, signed, and followed.

We hold no key that signs: who does stands behind `ports.sign`. While nobody does, a request is refused honestly, and a person may
send the certificate that somebody else made of it.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django_scopes import scope

from stations import ports
from stations.batch import Batch, clean
from stations.domain.certificates import CertificateType
from stations.domain.commands import BadCommand, Command, SendSignedCertificate
from stations.domain.event import Event
from stations.domain.events import CertificateRequestAnswered, CertificateRequested
from stations.domain.values import Note, Severity
from stations.flush import Cursor
from stations.models import CertificateRequest, CommandStatus, RequestStatus, Station
from stations.models import Command as CommandRow
from stations.services import abilities, certificates, commands, x509reading
from stations.services.companions import Companion
from stations.services.rules import Rule

NO_SIGNER = "No certificate authority is set up here, so nobody signs it."
#: Said of one that waits for a signer that failed; until then it has no detail.
TRIED = "Whoever signs it failed, and is asked again; the log of the server says why."
#: So long after the station last asked for it, a signer that only ever failed is asked no more.
PATIENCE = timedelta(days=7)
GIVEN_UP = "Whoever signs it failed for a week; the log of the server says why. Have the charger ask anew once that is put right."
#: Signed by one run of the job.
SIGNED = 50

FOLLOWED = """
UPDATE stations_certificaterequest SET status = %s, detail = %s WHERE station_id = %s AND command_id = %s
"""
UNSENT = """
UPDATE stations_certificaterequest SET status = 'signed', detail = %s WHERE command_id = %s AND status = 'sent'
"""

log = structlog.get_logger(__name__)


# What stations ask


def requested(event: CertificateRequested, batch: Batch) -> CertificateRequestAnswered:
    """Answer at once whether a certificate will come; it is made later (OCPP 2.0.1 A02)."""
    csr = clean(event.csr)
    told = x509reading.request(csr)
    if told.problems:
        answer = CertificateRequestAnswered(False, "InvalidCSR", " ".join(told.problems))
        batch.note(Note("certificate_request_invalid", event.use, answer.info, Severity.WARNING))
    elif ports.sign is None:
        answer = CertificateRequestAnswered(False, "NotEnabled", NO_SIGNER)
    else:
        answer = CertificateRequestAnswered(True)
    batch.add(
        CertificateRequest,
        operator_id=batch.station.operator_id,
        station_id=batch.station.id,
        type=event.use,
        csr=csr,
        digest=hashlib.sha256(f"{event.use} {csr}".encode()).hexdigest(),
        subject=told.subject,
        common_name=told.common_name,
        key=told.key,
        problems=list(told.problems),
        status=(RequestStatus.RECEIVED if answer.accepted else RequestStatus.REJECTED).value,
        detail=answer.info[:300],
        count=1,
        received_at=batch.now,
        last_at=batch.now,
        decided_at=None if answer.accepted else batch.now,
    )
    batch.touch()
    return answer


# Signing


def sign(*, now: datetime) -> int:
    """Have the requests signed that wait for it, and send what comes of that. Returns how many were signed. Run without a scope.

    1. Take those that wait, without a signer none; those that were tried in vain come last, so that no other waits for them.
    2. Each by itself: judge it, have it signed, and send it. A signer that fails keeps it waiting; one that refuses ends it.
    """
    if ports.sign is None:
        return 0
    waiting = CertificateRequest.objects.filter(status=RequestStatus.RECEIVED).order_by("detail", "?")
    return sum(_signed(pk, now) for pk in list(waiting.values_list("pk", flat=True)[:SIGNED]))


def _signed(pk: int, now: datetime) -> bool:
    """Whether it was signed. Whoever signs is asked by one worker at a time; its row is not locked meanwhile, since a batch counts
    there what the station asks again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"sign {pk}"])
        if not cursor.fetchone()[0]:
            return False
    try:
        return _signed_alone(pk, now)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"sign {pk}"])


def _signed_alone(pk: int, now: datetime) -> bool:
    request = CertificateRequest.objects.select_related("station", "operator").filter(pk=pk, status=RequestStatus.RECEIVED).first()
    if request is None:
        return False  # its station is gone, or somebody else had it signed
    with scope(operator=request.operator):
        found = CertificateRequest.objects.filter(pk=pk, status=RequestStatus.RECEIVED)
        try:
            _deliver(request, _judged(request), now)
        except (ports.NotSigned, BadCommand) as error:
            found.update(status=RequestStatus.REJECTED, detail=str(error)[:300], decided_at=now)
            return False
        except Exception:
            log.exception("a certificate request could not be signed", request=pk, station=request.station_id)
            given_up = {"status": RequestStatus.REJECTED, "detail": GIVEN_UP, "decided_at": now}
            found.update(**(given_up if request.last_at < now - PATIENCE else {"detail": TRIED}))
            return False
    return True


@transaction.atomic
def _deliver(request: CertificateRequest, chain: str, now: datetime) -> None:
    """Send the station what was signed. Raises BadCommand if it is no answer to its request."""
    taken = CertificateRequest.objects.filter(pk=request.pk, status=RequestStatus.RECEIVED)
    if taken.update(status=RequestStatus.SIGNED, certificate=chain, detail="", decided_at=now):
        command = SendSignedCertificate(chain, request.type, request.pk)
        command.check()
        commands.issue(station=request.station, command=command, reason="The certificate that it asked for.")


def _judged(request: CertificateRequest) -> str:
    """The chain that answers a request. Raises NotSigned, or whatever the signer raises."""
    serial = request.station.serial_number
    if request.type == CertificateType.STATION and serial and request.common_name.casefold() != serial.casefold():
        # OCPP 2.0.1 A02: the subject is the station's serial number.
        raise ports.NotSigned(f"It is for {request.common_name}, but the station says that it is {serial}.")
    assert ports.sign is not None
    return ports.sign(request)


# Sending


def to_send(row: CommandRow, station: Station, command: Command) -> None:
    """The chain belongs to a request of this station: the one it names, or the newest with its key. Raises BadCommand."""
    assert isinstance(command, SendSignedCertificate)
    own = CertificateRequest.objects.filter(station=station)
    request = own.filter(pk=command.request).first() if command.request is not None else None
    if command.request is not None and request is None:
        raise BadCommand("%(station)s has no certificate request %(id)s.", station=station.identity, id=command.request)
    if "raw" in row.facts:
        return
    leaf = x509reading.certificates(command.certificate_chain)[0]
    if leaf.not_valid_after_utc <= row.created_at:
        raise BadCommand("This certificate ended on %(day)s.", day=f"{leaf.not_valid_after_utc:%Y-%m-%d}")
    abilities.check_chain(station, command.certificate_chain)
    if request is None:
        newest = own.filter(type=command.type).order_by("-pk")[:20]
        request = next((one for one in newest if x509reading.answers(leaf, one.csr)), None)
    elif not x509reading.answers(leaf, request.csr):
        raise BadCommand(
            "This certificate is for another key than that of request %(id)s: the one for the charger comes first in the chain.",
            id=request.pk,
        )
    if request is not None:
        sent = {"status": RequestStatus.SENT, "certificate": command.certificate_chain, "command": row, "detail": ""}
        own.filter(pk=request.pk).update(**sent)


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """The station took it, or refused it: then it asks no more by itself, and must be asked to (OCPP 2.0.1 A02)."""
    status, detail = RequestStatus.REFUSED, change.get("detail", "")
    if change["status"] == CommandStatus.CONFIRMED:
        status, detail = RequestStatus.INSTALLED, ""
        kind = facts["type"]
        # The station lists the one for vehicles among its chains.
        kept = CertificateType.V2G_CHAIN.value if kind == CertificateType.V2G else kind
        certificates.keep(batch, kept, facts["certificate"], replaces=True)
    elif change["status"] == CommandStatus.TIMED_OUT:
        status = RequestStatus.SIGNED
    batch.cursor.execute(FOLLOWED, (status.value, detail[:300], batch.station.id, command_id))
    batch.touch()


def ended(cursor: Cursor, command_id: int, status: str, now: datetime) -> None:
    """It never reached the station."""
    cursor.execute(UNSENT, ("It did not reach the station.", command_id))


RULES: dict[type[Event], Rule] = {CertificateRequested: Rule(requested)}
COMPANIONS = {"certificate_signed": Companion(to_send, answered, ended)}
