"""What a station reads together with an id token (OCPP 2.0.1 AdditionalInfoType): kept with the session, compared by nobody."""

from typing import Any

import pytest
from django_scopes import scope

from stations.models import Finding, Station
from tests.engine import Engine
from tests.network import Network
from tests.v201 import ended, started, updated

FURTHER = [{"additionalIdToken": "DE-8AA", "type": "eMAID"}, {"additionalIdToken": "1234", "type": "keycode"}]
CARD = {"idToken": "CARD", "type": "ISO14443", "additionalInfo": FURTHER}
KEPT = [{"id_tag": "DE-8AA", "type": "eMAID"}]


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


@pytest.fixture
def station(network: Network) -> Station:
    return network.station(accepted=True)


def told(network: Network, station: Station) -> Any:
    (one,) = network.transactions(station)
    return one.additional_id_tags


def test_a_session_keeps_what_was_read_with_its_token_but_no_code(network: Network, engine: Engine, station: Station) -> None:
    network.token("CARD")
    assert engine.say(station, "TransactionEvent", started(idToken=CARD))["idTokenInfo"]["status"] == "Accepted"
    assert told(network, station) == KEPT
    # Neither what does not say it nor whoever else stops it changes that.
    network.token("OTHER")
    other = {"idToken": "OTHER", "type": "ISO14443", "additionalInfo": [{"additionalIdToken": "X", "type": "y"}]}
    for event in (updated(1), ended(2, idToken=other)):
        engine.say(station, "TransactionEvent", event)
    assert told(network, station) == KEPT


def test_it_may_come_later_than_the_token(network: Network, engine: Engine, station: Station) -> None:
    network.token("CARD")
    engine.say(station, "TransactionEvent", started())
    assert told(network, station) is None
    engine.say(station, "TransactionEvent", updated(1, idToken=CARD))
    assert told(network, station) == KEPT


def test_so_many_of_them_are_kept_and_no_more(network: Network, engine: Engine, station: Station) -> None:
    network.token("CARD")
    many = [{"additionalIdToken": f"{number}\x00", "type": "t"} for number in range(500)]
    engine.say(station, "TransactionEvent", started(idToken=CARD | {"additionalInfo": many}))
    assert [one["id_tag"] for one in told(network, station)] == [str(number) for number in range(8)]


def test_tokens_are_told_apart_without_it(network: Network, engine: Engine, station: Station) -> None:
    """OCPP 2.0.1 C01: a token is its value and its type."""
    network.token("DE-8AA", type="eMAID")
    assert engine.say(station, "Authorize", {"idToken": CARD})["idTokenInfo"]["status"] == "Unknown"
    with scope(operator=network.operator):
        finding = Finding.objects.get(station=station, code="token_unknown")
    assert finding.subject == "ISO14443 CARD"
    assert finding.detail == "Nobody is enrolled with this id tag. With it came DE-8AA (eMAID)."
