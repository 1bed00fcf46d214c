"""A simulated station of each version and a real server: certificates, their requests, security events and published firmware."""

import pytest
from django_scopes import scopes_disabled

from csms.simulator import SimulatedStation, certificates, securityevents
from csms.simulator.v16.security import PNC
from csms.simulator.v201.publishing import BEHIND, md5_of
from stations.domain import commands
from stations.models import CertificateRequest, FirmwarePublication, InstalledCertificate, SecurityEvent
from tests.certificates import root, signed
from tests.database import tables
from tests.network import PASSWORD, Network
from tests.servers import Server
from tests.simulator.test_firmware import image as image  # the fixture
from tests.simulator.test_real_server import becomes
from tests.sockets.test_commands import issue

PROTOCOLS = ("ocpp1.6", "ocpp2.0.1")


@tables
def present(network: Network) -> list[tuple[str, str]]:
    with scopes_disabled():
        rows = InstalledCertificate.objects.filter(operator=network.operator, removed_at=None).order_by("id")
        return [(row.type, row.subject) for row in rows]


@tables
def of(network: Network, model: type) -> list:  # type: ignore[type-arg]
    with scopes_disabled():
        return list(model.objects.filter(operator=network.operator).order_by("id"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["CSMSRootCertificate", "V2GRootCertificate"])
async def test_a_root_is_installed_listed_and_deleted(
    uvicorn: Server, network: Network, bells: None, protocol: str, kind: str
) -> None:
    known = network.station()
    async with SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, protocol=protocol) as sim:
        await sim.boot()
        await becomes(issue(known, commands.InstallCertificate(kind, root("Amber Root"))), "confirmed")
        assert [one for one, _ in certificates.of(sim).listed(None)] == [kind]
        await becomes(issue(known, commands.GetInstalledCertificates([kind])), "confirmed")
        assert present(network) == [(kind, "CN=Amber Root")]
        (row,) = of(network, InstalledCertificate)
        assert row.reported_at
        named = (row.hash_algorithm, row.issuer_name_hash, row.issuer_key_hash, row.serial_number)
        await becomes(issue(known, commands.DeleteCertificate(*named, type=kind)), "confirmed")
        assert certificates.of(sim).listed(None) == []
    assert present(network) == []
    assert network.findings(known) == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("trigger", "use"),
    [("SignChargingStationCertificate", "ChargingStationCertificate"), ("SignV2GCertificate", "V2GCertificate")],
)
async def test_a_certificate_is_asked_for_when_triggered_and_taken_if_it_is_for_the_key(
    uvicorn: Server, network: Network, bells: None, protocol: str, trigger: str, use: str
) -> None:
    known = network.station()
    async with SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, protocol=protocol) as sim:
        await sim.boot()
        await becomes(issue(known, commands.TriggerMessage(trigger)), "confirmed")
        (request,) = of(network, CertificateRequest)
        assert (request.type, request.common_name, request.problems) == (use, known.identity[:25], [])
        sent = commands.SendSignedCertificate(signed(request.csr), use, request.pk)
        await becomes(issue(known, sent), "confirmed")
        assert list(certificates.of(sim).own) == [use]
    assert [request.status for request in of(network, CertificateRequest)] == ["installed"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_security_events_are_told_on_demand(uvicorn: Server, network: Network, protocol: str) -> None:
    known = network.station()
    async with SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, protocol=protocol) as sim:
        await sim.boot()
        await securityevents.happens(sim, "TamperDetectionActivated", "the door")
    (event,) = of(network, SecurityEvent)
    assert (event.type, event.tech_info, event.critical) == ("TamperDetectionActivated", "the door", True)


async def test_firmware_is_published_and_taken_back(uvicorn: Server, network: Network, bells: None, image: str) -> None:
    known = network.station()
    async with SimulatedStation(uvicorn.ocpp, known.identity, password=PASSWORD, protocol="ocpp2.0.1") as sim:
        await sim.boot()
        checksum = md5_of(image)
        await becomes(issue(known, commands.PublishFirmware(location=image, checksum=checksum)), "confirmed")
        (row,) = of(network, FirmwarePublication)
        assert (row.status, row.locations) == ("published", [f"{BEHIND}/{checksum}.bin"])
        await becomes(issue(known, commands.UnpublishFirmware(checksum)), "confirmed")
        assert [row.status for row in of(network, FirmwarePublication)] == ["unpublished"]
        await becomes(issue(known, commands.PublishFirmware(location=f"{image}.gone", checksum=checksum)), "no_effect")
    assert [row.status for row in of(network, FirmwarePublication)] == ["unpublished", "failed"]


def test_the_agreement_has_one_name() -> None:
    from csms.ocpp.v16.conventions import PNC_VENDOR

    assert PNC == PNC_VENDOR
