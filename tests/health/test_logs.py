"""What a line of the log carries, and what it does not."""

import io
import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from csms import logs
from stations.batch import Frame, of_one
from tests.engine import Engine
from tests.network import Network

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The lines of production, as they would stand on standard error."""
    stream = io.StringIO()
    configured = logs.configuration(production=True, level="INFO")["formatters"]["lines"]
    kind = configured.pop("()")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(kind(**configured))
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


def test_a_line_written_while_a_message_is_handled_says_whose_it_is(network: Network, lines: Lines) -> None:
    known = network.station(accepted=True)
    with of_one(known.pk, now=datetime.now(UTC)) as batch:
        batch.frame = Frame(batch.station, datetime.now(UTC), "m1", "Heartbeat")
        with logs.About(batch):
            structlog.get_logger("ours").warning("odd")
            logging.getLogger("theirs").warning("odd too: %s", 7)
        logging.getLogger("theirs").warning("later")
    about = {"operator": network.operator.pk, "station": known.identity, "message_id": "m1", "action": "Heartbeat"}
    ours, theirs, later = lines()
    assert about.items() <= ours.items()
    assert about.items() <= theirs.items()
    assert (ours["event"], ours["level"], ours["logger"]) == ("odd", "warning", "ours")
    assert (theirs["event"], theirs["logger"]) == ("odd too: 7", "theirs")
    assert not about.keys() & later.keys()


def test_a_message_that_goes_well_writes_no_line(network: Network, engine: Engine, lines: Lines) -> None:
    engine.say(network.station(accepted=True), "Heartbeat", {})
    assert lines() == []


def test_secrets_are_hidden_wherever_they_stand(lines: Lines) -> None:
    log = structlog.get_logger("ours")
    log.warning("a", password="hunter2", api_key="ck_123", Authorization="Basic abc", token="t", empty_token=None)
    log.warning("redis://user:hunter2@redis:6379/0 is away; header Bearer abcdefghij, Api-Key ck_12345678.abc")
    log.warning("b", frame='[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"hunter2"}]')
    try:
        raise RuntimeError("postgres://csms:hunter2@db/csms")
    except RuntimeError:
        logging.getLogger("theirs").exception("failed")
    a, url, b, failed = lines()
    assert [a[name] for name in ("password", "api_key", "Authorization", "token", "empty_token")] == ["***"] * 4 + [None]
    assert url["event"] == "redis://***@redis:6379/0 is away; header Bearer ***, Api-Key ***"
    assert "hunter2" not in b["frame"]
    assert "postgres://***@db/csms" in failed["exception"]
    assert "hunter2" not in json.dumps([a, url, b, failed])


def test_the_configuration_is_one_that_python_takes() -> None:
    for production in (True, False):
        configured = logs.configuration(production=production, level="INFO")
        logging.config.DictConfigurator(configured).configure_formatter(configured["formatters"]["lines"])
