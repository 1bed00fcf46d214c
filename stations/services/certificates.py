"""Certificates at stations (OCPP 2.0.1 M03 to M06, A02): a mirror of what is there, kept by what we ask and stations answer.

A station names a certificate by hashes only. What we brought somewhere in the network is known by the certificate itself, so its
subject and its end are shown wherever a station lists it.
"""

from typing import Any

from cryptography import x509

from stations.batch import Batch, clean
from stations.domain import commands
from stations.domain.certificates import CertificateHash, CertificateType, plain_serial
from stations.domain.commands import BadCommand, Command, InstallCertificate
from stations.domain.event import Event
from stations.domain.events import (
    CertificateStatusAnswered,
    CertificateStatusRequested,
    ContractCertificateAnswered,
    ContractCertificateRequested,
)
from stations.domain.values import Note, Severity
from stations.models import Command as CommandRow
from stations.models import CommandStatus, InstalledCertificate, Station, Variable
from stations.services import x509reading
from stations.services.companions import Companion
from stations.services.rules import Rule

#: By this algorithm a certificate is named until its station has told its own.
USUAL = "SHA256"
#: More than this one station does not hold; and of the network so many are compared at once.
MOST, COMPARED = 200, 1000
#: The setting, in either version, by which a station says that it checks who signed a new root.
ROOT_CHECK = "AdditionalRootCertificateCheck"
#: How a fact of an answer is called that lists the certificates of a type.
LISTED = "certificates:"

#: What names a certificate, among the facts of an answer and in its row.
NAMES = ("hash_algorithm", "issuer_name_hash", "issuer_key_hash", "serial_number")
KNOWN = """
SELECT id, station_id, type, hash_algorithm, issuer_name_hash, issuer_key_hash, serial_number, pem, removed_at
FROM stations_installedcertificate WHERE station_id = %s
UNION ALL (
    SELECT id, station_id, type, hash_algorithm, issuer_name_hash, issuer_key_hash, serial_number, pem, removed_at
    FROM stations_installedcertificate
    WHERE operator_id = %s AND station_id <> %s AND serial_key = ANY(%s) AND pem <> '' ORDER BY id DESC LIMIT %s)
"""
REPLACED = """
UPDATE stations_installedcertificate SET removed_at = %s WHERE station_id = %s AND type = %s AND removed_at IS NULL
"""


# Asking


def to_install(row: CommandRow, station: Station, command: Command) -> None:
    """A root that could not be trusted is not sent at all; what is asked word for word (a raw CALL) is the asker's business."""
    assert isinstance(command, InstallCertificate)
    if "raw" not in row.facts:
        certificate = x509reading.root(command.certificate, row.created_at)
        if command.type == CertificateType.CSMS_ROOT.value:
            _check_signed_by_old(station, certificate)


def _check_signed_by_old(station: Station, certificate: x509.Certificate) -> None:
    """Where a station checks it, its next root must be signed by one that it has (OCPP 2.0.1 A00, 1.6 security whitepaper,
    AdditionalRootCertificateCheck): it would refuse any other. The old one stays, as its fallback. Raises BadCommand.

    Of one that it only named, nothing but the name of its issuer can be compared; where none is known, the station decides.
    """
    checks = {"station": station, "variable": ROOT_CHECK, "attribute": "Actual", "known": True}
    if not Variable.objects.filter(**checks, value__iexact="true").exists():
        return
    here = {"station": station, "type": CertificateType.CSMS_ROOT.value, "removed_at": None}
    old = list(InstalledCertificate.objects.filter(**here)[:MOST])
    if old and not any(_signs(one, certificate) for one in old):
        raise BadCommand(
            "%(station)s takes a new root only if one that it has signed it (%(check)s), and none of its %(n)s did: let "
            "%(old)s sign the new one, or switch that check off first.",
            station=station.identity,
            check=ROOT_CHECK,
            n=len(old),
            old=old[0].subject or old[0].serial_number,
        )


def _signs(old: InstalledCertificate, certificate: x509.Certificate) -> bool:
    if old.pem:
        return x509reading.signed_by(certificate, x509reading.certificates(old.pem)[0])
    named = x509reading.hash_of(certificate, old.hash_algorithm).issuer_name_hash
    return named.lower() == old.issuer_name_hash.lower()


def nothing_more(row: CommandRow, station: Station, command: Command) -> None:
    """No row of its own goes with it."""


# What stations answered


def installed(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    if change["status"] == CommandStatus.CONFIRMED:
        keep(batch, facts["type"], facts["certificate"])


def keep(batch: Batch, kind: str, pem: str, *, replaces: bool = False) -> None:
    """A certificate is at the batch's station from now on; with `replaces`, in the place of those of its type.

    What the station has named in its own way meanwhile keeps that name.
    """
    try:
        chain = x509reading.certificates(pem)
    except commands.BadCommand:
        return  # it was asked word for word, and the station makes something of it that we cannot
    if replaces:
        batch.cursor.execute(REPLACED, (batch.now, batch.station.id, kind))
    issuer = chain[1] if len(chain) > 1 else None
    named = x509reading.hash_of(chain[0], USUAL, issuer)
    brought = {"installed_at": batch.now, "reported_at": None, "removed_at": None}
    for row in _known(batch, [named]):
        if row.station_id == batch.station.id and row.type == kind and x509reading.is_of(chain[0], row.named):
            batch.change(InstalledCertificate, row.id, **brought, **_said(pem))
            batch.touch()
            return
    _add(batch, kind, named, pem, **brought)


def _said(pem: str) -> dict[str, Any]:
    """What its row says of a certificate; "": it was never seen."""
    if not pem:
        return {"pem": "", "subject": "", "issuer": "", "not_before": None, "not_after": None}
    details = x509reading.details(x509reading.certificates(pem)[0])
    return {"pem": pem} | {name: getattr(details, name) for name in ("subject", "issuer", "not_before", "not_after")}


def _add(batch: Batch, kind: str, named: CertificateHash, pem: str, **more: Any) -> None:
    batch.add(
        InstalledCertificate,
        operator_id=batch.station.operator_id,
        station_id=batch.station.id,
        type=kind,
        hash_algorithm=named.algorithm,
        issuer_name_hash=named.issuer_name_hash,
        issuer_key_hash=named.issuer_key_hash,
        serial_number=named.serial_number,
        serial_key=plain_serial(named.serial_number),
        **{"children": [], "installed_at": None, "reported_at": None, "removed_at": None} | _said(pem) | more,
    )
    batch.touch()


def deleted(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """It is gone, or was not there: either way it is there no more (OCPP 2.0.1 M04)."""
    if not facts.get("gone"):
        return
    named = _named(facts)
    for row in _known(batch, [named]):
        if row.station_id == batch.station.id and row.present and row.is_of(named):
            batch.change(InstalledCertificate, row.id, removed_at=batch.now)
    batch.touch()


def listed(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """The station told all it has of these types: what it did not tell is there no more (OCPP 2.0.1 M03)."""
    told = {name.removeprefix(LISTED): ones[:MOST] for name, ones in facts.items() if name.startswith(LISTED)}
    if not told:
        return
    known = _known(batch, [_named(one) for ones in told.values() for one in ones])
    here = [one for one in known if one.station_id == batch.station.id]
    for kind, ones in told.items():
        left = {one.id for one in here if one.type == kind and one.present}
        for one in ones:
            named = _named(one)
            row = next((row for row in here if row.type == kind and row.is_of(named)), None)
            seen = {"reported_at": batch.now, "removed_at": None, "children": one["children"]}
            if row is not None:
                left.discard(row.id)
                batch.change(InstalledCertificate, row.id, **seen, **_columns(named))
                continue
            _add(batch, kind, named, next((row.pem for row in known if row.pem and row.is_of(named)), ""), **seen)
        for pk in left:
            batch.change(InstalledCertificate, pk, removed_at=batch.now)
    batch.touch()


def _named(fact: dict[str, Any]) -> CertificateHash:
    return CertificateHash(*(clean(str(fact[name])) for name in NAMES))


def _known(batch: Batch, named: list[CertificateHash]) -> list["_Known"]:
    """What the mirror has of the station, and what was brought anywhere in its network under one of these numbers."""
    serials = sorted({plain_serial(one.serial_number) for one in named})
    station = batch.station
    rows = batch.cursor.execute(KNOWN, (station.id, station.operator_id, station.id, serials, COMPARED)).fetchall()
    return [_Known(row[0], row[1], row[2], CertificateHash(*row[3:7]), row[7], row[8] is None) for row in rows]


def _columns(named: CertificateHash) -> dict[str, str]:
    """As the station tells it, which is how it will be asked."""
    return dict(
        zip(NAMES, (named.algorithm, named.issuer_name_hash, named.issuer_key_hash, named.serial_number), strict=True),
        serial_key=plain_serial(named.serial_number),
    )


class _Known:
    """A row of the mirror, as far as it is compared."""

    def __init__(self, pk: int, station_id: int, kind: str, named: CertificateHash, pem: str, present: bool) -> None:
        self.id, self.station_id, self.type, self.named, self.pem, self.present = pk, station_id, kind, named, pem, present

    def is_of(self, named: CertificateHash) -> bool:
        if self.named.key() == named.key():
            return True
        # Brought there by us, and named by the station in its own way.
        same_number = plain_serial(self.named.serial_number) == plain_serial(named.serial_number)
        return bool(self.pem) and same_number and x509reading.is_of(x509reading.certificates(self.pem)[0], named)


# What stations ask on behalf of vehicles


NO_POOL = "No contract certificate pool is set up here, so vehicles get no contract certificates through this system."
NO_RESPONDER = "Whether a certificate was revoked is not asked of its responder here."


def contract_requested(event: ContractCertificateRequested, batch: Batch) -> ContractCertificateAnswered:
    """Failed, honestly: there is nobody to ask (OCPP 2.0.1 M01, M02)."""
    batch.note(
        Note("contract_certificate_failed", event.action, f"{event.action} ({event.schema_version}): {NO_POOL}", Severity.INFO)
    )
    return ContractCertificateAnswered(False, reason="NotEnabled", info=NO_POOL)


def status_requested(event: CertificateStatusRequested, batch: Batch) -> CertificateStatusAnswered:
    """Failed, honestly: nobody is asked (OCPP 2.0.1 M06)."""
    detail = f"Certificate {event.hash.serial_number} at {event.responder_url}: {NO_RESPONDER}"
    batch.note(Note("certificate_status_failed", event.hash.serial_number, detail, Severity.INFO))
    return CertificateStatusAnswered(False, reason="NotEnabled", info=NO_RESPONDER)


RULES: dict[type[Event], Rule] = {
    ContractCertificateRequested: Rule(contract_requested),
    CertificateStatusRequested: Rule(status_requested),
}
COMPANIONS = {
    "install_certificate": Companion(to_install, installed),
    "delete_certificate": Companion(nothing_more, deleted),
    "get_installed_certificates": Companion(nothing_more, listed),
}
