"""Rows about the security of a charger: one of each thing its page can show."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from django.utils import timezone

from stations.models import CertificateRequest, Firmware, FirmwarePublication, InstalledCertificate, SecurityEvent, Station
from tests.certificates import csr

csr_of_the_world = cache(csr)


@dataclass
class Secured:
    event: SecurityEvent
    certificate: InstalledCertificate
    request: CertificateRequest
    publication: FirmwarePublication


def secured(station: Station, image: Firmware) -> Secured:
    """Events critical and not, seen and not; certificates that hold, end soon, ended and are not known; requests at each end."""
    now = timezone.now()
    own = {"operator": station.operator, "station": station}
    for kind, ago, seen in (("ResetOrReboot", 5, None), ("MemoryExhaustion", 500, now), ("Acme.DoorOpened", 50, None)):
        SecurityEvent.objects.create(
            **own, type=kind, at=now - timedelta(minutes=ago), received_at=now, critical="." not in kind, acknowledged_at=seen
        )
    event = SecurityEvent.objects.create(
        **own, type="TamperDetectionActivated", at=now, received_at=now, tech_info="the door <open>", critical=True
    )
    certificates = [
        InstalledCertificate.objects.create(
            **own, type=kind, hash_algorithm="SHA256", issuer_name_hash="0a" * 32, issuer_key_hash="0b" * 32, serial_number=f"0{n}",
            serial_key=str(n), subject=f"CN={kind}" if days else "", issuer="CN=Amber CA" if days else "", installed_at=now,
            not_after=now + timedelta(days=days) if days else None, reported_at=None if n == 1 else now,
        )
        for n, (kind, days) in enumerate(
            [("CSMSRootCertificate", 900), ("V2GRootCertificate", 9), ("ChargingStationCertificate", -9), ("MORootCertificate", 0)],
            start=1,
        )
    ]  # fmt: skip
    wanted = {**own, "type": "ChargingStationCertificate", "received_at": now, "last_at": now}
    for number, status in enumerate(("installed", "received", "refused")):
        CertificateRequest.objects.create(
            **wanted, csr="x", digest=f"{number}", common_name="SN-77", key="EC 256", status=status, count=number + 1
        )
    CertificateRequest.objects.create(**wanted, csr="?", digest="b", status="rejected", problems=["No."], detail="Unreadable.")
    request = CertificateRequest.objects.create(
        **wanted,
        csr=csr_of_the_world("SN-77"),
        digest="a",
        common_name="SN-77",
        key="EC 256",
        status="rejected",
        detail="No CA.",
    )
    offered = {**own, "firmware": image, "checksum": image.md5, "expires_at": now, "status_at": now, "created_at": now}
    FirmwarePublication.objects.create(**offered, request_id=1, status="failed", detail="It could not.", finished_at=now)
    publication = FirmwarePublication.objects.create(
        **offered, request_id=2, status="published", locations=["http://192.0.2.1/a.bin"], finished_at=now
    )
    return Secured(event, certificates[0], request, publication)
