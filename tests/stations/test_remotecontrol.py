"""Which of two ways a station is asked for a message by."""

from django_scopes import scopes_disabled

from stations.domain import commands
from stations.models import Variable
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import connected, issue, sent


def test_a_station_that_is_known_to_have_the_security_extension_is_asked_by_it(committed: None, network: Network) -> None:
    engine = Engine("ocpp1.6")
    plain, extended = connected(network, engine), connected(network, engine)
    with scopes_disabled():
        Variable.objects.create(operator=network.operator, station=extended, variable="SecurityProfile", value="1")
    for station, action in ((plain, "TriggerMessage"), (extended, "ExtendedTriggerMessage")):
        issue(station, commands.TriggerMessage("Heartbeat"))
        assert sent(engine, station).action == action
