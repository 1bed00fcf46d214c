"""A new root where the station checks who signed it (AdditionalRootCertificateCheck): refused before it is sent, if nobody did."""

from typing import Any

import pytest
from cryptography import x509
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from stations.domain import commands
from stations.domain.commands import BadCommand
from stations.models import InstalledCertificate, Station, Variable
from tests.certificates import hash_data, made, new_key, pem, root
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import PROTOCOLS, asked, connected

KEY = new_key()
OLD = made("Amber Root", KEY, "Amber Root", KEY)


@pytest.fixture(params=PROTOCOLS)
def engine(committed: None, request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def says(station: Station, value: str) -> None:
    """What the station says of its check."""
    of = {"operator": station.operator, "station": station, "attribute": "Actual", "known": True, "reported_at": timezone.now()}
    with scope(operator=station.operator):
        Variable.objects.create(**of, component="SecurityCtrlr", variable="AdditionalRootCertificateCheck", value=value)


def install(engine: Engine, station: Station, certificate: str, kind: str = "CSMSRootCertificate") -> Any:
    return asked(engine, station, commands.InstallCertificate(kind, certificate))


def signed_by_the_old() -> str:
    return pem(made("Amber Root 2", new_key(), "Amber Root", KEY))


def test_a_root_that_the_old_one_did_not_sign_is_refused_before_it_is_sent(engine: Engine, station: Station) -> None:
    assert install(engine, station, pem(OLD)).status == "confirmed"
    says(station, "true")
    # Neither one of its own, nor one that only bears the old one's name.
    impostor = pem(made("Amber Root 2", new_key(), "Amber Root", new_key()))
    for other in (root("Cobalt Root"), impostor):
        with pytest.raises(BadCommand, match=r"none of its 1 did: let CN=Amber Root sign the new one"):
            install(engine, station, other)


def test_the_old_one_stays_as_fallback_beside_the_one_it_signed(engine: Engine, station: Station) -> None:
    install(engine, station, pem(OLD))
    says(station, "true")
    assert install(engine, station, signed_by_the_old()).status == "confirmed"
    with scopes_disabled():
        kept = InstalledCertificate.objects.filter(station=station, removed_at=None).order_by("id")
        assert [one.subject for one in kept] == ["CN=Amber Root", "CN=Amber Root 2"]


@pytest.mark.parametrize("value", ["false", None])
def test_where_the_station_does_not_check_any_root_is_sent(engine: Engine, station: Station, value: str | None) -> None:
    install(engine, station, pem(OLD))
    if value is not None:
        says(station, value)
    assert install(engine, station, root("Cobalt Root")).status == "confirmed"


def test_the_first_root_and_those_of_other_kinds_are_not_held_to_it(engine: Engine, station: Station) -> None:
    says(station, "true")
    assert install(engine, station, root("Maker"), "ManufacturerRootCertificate").status == "confirmed"
    assert install(engine, station, pem(OLD)).status == "confirmed"


def test_of_an_old_root_known_by_its_hashes_only_the_name_is_compared(engine: Engine, station: Station) -> None:
    says(station, "true")
    said = hash_data(pem(OLD))
    with scopes_disabled():
        InstalledCertificate.objects.create(
            operator=station.operator,
            station=station,
            type="CSMSRootCertificate",
            hash_algorithm="SHA256",
            issuer_name_hash=said["issuerNameHash"].upper(),
            issuer_key_hash=said["issuerKeyHash"],
            serial_number=said["serialNumber"],
            serial_key=said["serialNumber"],
            reported_at=timezone.now(),
        )
    assert isinstance(OLD, x509.Certificate)
    assert install(engine, station, signed_by_the_old()).status == "confirmed"
    with pytest.raises(BadCommand, match="takes a new root only if"):
        install(engine, station, root("Cobalt Root"))
