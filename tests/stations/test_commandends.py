"""Commands that end without an answer keep none of the secrets that were to be said."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django_scopes import scopes_disabled

from csms.ocpp.doors import Arrival
from stations.domain import commands
from stations.models import Command, Station
from stations.services import commandends
from stations.services.connections import Knock
from tests.engine import Engine
from tests.network import PASSWORD, Network
from tests.stations.asking import connected, issue, now_of, sent

SECRET = {"component": "SecurityCtrlr", "variable": "BasicAuthPassword", "value": "a secret of 20 chars"}
HARMLESS = {"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval", "value": "300"}
PAYLOAD = {"key": "AuthorizationKey", "value": "a secret of 20 chars"}


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine("ocpp1.6")


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def taken_back(engine: Engine, row: Command) -> None:
    with scopes_disabled():
        assert commandends.cancel(command=row)


def expired(engine: Engine, row: Command) -> None:
    commandends.sweep(now=row.expires_at + timedelta(seconds=1))


def cut_off(engine: Engine, row: Command) -> None:
    sent(engine, row.station)
    knock = Knock(row.station.identity, (row.station.identity.encode(), PASSWORD.encode()), "ocpp1.6", ("ocpp1.6",), "", True)
    with scopes_disabled():
        engine.thread._attempt_doors([Arrival(knock, None)])


def forgotten(engine: Engine, row: Command) -> None:
    sent(engine, row.station)
    commandends.sweep(now=datetime.now(UTC) + commandends.LOST_ANSWER)


@pytest.mark.parametrize(
    ("end", "status"),
    [(taken_back, "cancelled"), (expired, "expired"), (cut_off, "timed_out"), (forgotten, "timed_out")],
)
def test_secrets_are_forgotten_with_the_command(
    engine: Engine, station: Station, end: Callable[[Engine, Command], None], status: str
) -> None:
    raw = {"action": "ChangeConfiguration", "payload": PAYLOAD}
    row = issue(station, commands.SetVariables([SECRET, HARMLESS]), raw=raw, expires_in=60)
    end(engine, row)
    ended = now_of(row)
    assert ended.status == status
    assert [one["value"] for one in ended.params["variables"]] == ["***", "300"]
    assert ended.facts == {}
