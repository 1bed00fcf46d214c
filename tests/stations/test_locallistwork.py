"""The job of local lists where something is odd: it goes on with all others."""

from typing import Any

import pytest
from django_scopes import scopes_disabled

from stations.services import locallistwork
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import PROTOCOLS, boot, connected
from tests.stations.listing import Keeper, hurry, list_of, rule, run, settle, there


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
    # The job counts as failed all the same, so that somebody sees it.
    with scopes_disabled(), pytest.raises(RuntimeError, match="nothing to be done"):
        getattr(locallistwork, work)()
    assert {network.operator.pk, other.operator.pk} <= looked


def test_a_list_that_cannot_be_looked_at_says_so_and_is_tried_again_later_and_later(
    network: Network, committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine("ocpp1.6")
    keeper = Keeper(engine, connected(network, engine))
    rule(network)
    there(keeper.station)

    def fails(*_: Any, **__: Any) -> bool:
        raise RuntimeError("nobody thought of this")

    pauses = []
    with monkeypatch.context() as broken:
        broken.setattr(locallistwork, "_look", fails)
        for _again in range(3):
            hurry(keeper)
            run(network)
            one = list_of(keeper.station)
            assert (one.state, one.error) == ("failed", locallistwork.IN_TROUBLE)
            assert one.due_at is not None
            assert one.error_at is not None
            pauses.append((one.due_at - one.error_at) / locallistwork.TROUBLE)
    assert pauses == [1, 2, 4]
    settle(network, keeper)
    one = list_of(keeper.station)
    assert (one.state, one.error, one.attempts) == ("in_step", "", 0)


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


def test_how_many_bytes_a_message_may_have_is_asked_before_the_first_list(network: Network) -> None:
    newer = Engine("ocpp2.0.1")
    keeper = Keeper(newer, connected(network, newer), told={"BytesPerMessage": "500"})
    for number in range(5):
        network.token(f"CARD-{number}")
    rule(network)
    settle(network, keeper)
    assert len(keeper.values) == 5
    sent = [len(entry.call) for entry in network.log(keeper.station) if entry.action == "SendLocalList"]
    assert len(sent) > 1
    assert max(sent) <= 500
