"""What a station says that it cannot do is refused before it is asked."""

from datetime import UTC, datetime

import pytest
from django_scopes import scopes_disabled

from stations.domain.commands import BadCommand, Reset, SendSignedCertificate
from stations.models import Station, Variable
from tests.certificates import csr, signed
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import connected, issue


@pytest.fixture
def station(network: Network, committed: None) -> Station:
    return connected(network, Engine("ocpp2.0.1"))


def says(station: Station, component: str, variable: str, value: str, evse: int = 0) -> None:
    with scopes_disabled():
        of = {"operator": station.operator, "station": station, "attribute": "Actual", "reported_at": datetime.now(UTC)}
        Variable.objects.create(**of, component=component, variable=variable, value=value, evse_number=evse)


def test_an_evse_that_cannot_be_restarted_by_itself_is_not_asked_to(station: Station) -> None:
    says(station, "EVSE", "AllowReset", "false", evse=1)
    says(station, "EVSE", "AllowReset", "true", evse=2)
    with pytest.raises(BadCommand, match="cannot be restarted by itself"):
        issue(station, Reset("idle", 1))
    issue(station, Reset("idle", 2))
    issue(station, Reset("idle"))


def test_a_chain_that_is_longer_than_it_takes_is_not_sent(station: Station) -> None:
    chain = signed(csr())
    says(station, "SecurityCtrlr", "MaxCertificateChainSize", str(len(chain) - 1))
    with pytest.raises(BadCommand, match=f"The chain has {len(chain)} characters"):
        issue(station, SendSignedCertificate(chain, "ChargingStationCertificate"))
    with scopes_disabled():
        Variable.objects.filter(station=station).update(value=str(len(chain)))
    issue(station, SendSignedCertificate(chain, "ChargingStationCertificate"))
