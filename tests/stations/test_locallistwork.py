"""The job of local lists where something is odd: it goes on with all others."""

from typing import Any

import pytest
from django_scopes import scopes_disabled

from stations.services import locallistwork
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import PROTOCOLS, boot, connected
from tests.stations.listing import Keeper, list_of, rule, settle


@pytest.mark.parametrize(("work", "step"), [("bring_in_step", "of_operator"), ("keep", "assign")])
def test_what_fails_for_one_operator_keeps_no_other_waiting(
    network: Network, monkeypatch: pytest.MonkeyPatch, work: str, step: str
) -> None:
    other = Network()
    rule(network)
    rule(other)
    looked: set[int] = set()

    def fails(*, operator_id: int, **_: Any) -> int:
        looked.add(operator_id)
        raise RuntimeError("nothing to be done")

    monkeypatch.setattr(locallistwork, step, fails)
    with scopes_disabled():
        getattr(locallistwork, work)()
    assert {network.operator.pk, other.operator.pk} <= looked


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_empty_list_that_has_no_version_is_not_sent_at_each_restart(network: Network, committed: None, protocol: str) -> None:
    """A list without entries may have version 0, whatever it was sent as (1.6 5.10)."""
    engine = Engine(protocol)
    keeper = Keeper(engine, connected(network, engine))
    rule(network)
    settle(network, keeper)
    assert keeper.asked == [("GetLocalListVersion",), ("Full", 0)]
    keeper.asked.clear()
    keeper.version = 0
    boot(engine, keeper.station)
    settle(network, keeper)
    assert keeper.asked == [("GetLocalListVersion",)]
    assert list_of(keeper.station).state == "in_step"
    network.token("CARD-1")
    settle(network, keeper)
    assert keeper.values == ["CARD-1"]
