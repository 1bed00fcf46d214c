"""Whatever is posted, the API has an answer: 201 or 202 for what can be sent, a problem for what cannot. Never a crash."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import orjson
import pytest
from django.db import transaction
from django_scopes import scope
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csms.ocpp import registry, schemas
from stations.domain.commands import COMMANDS
from stations.models import Connection
from tests.api.conftest import Network, Person
from tests.ocpp.strategies import JUNK, payloads

JSON = "application/json"
SENSE = st.one_of(
    st.sampled_from([None, True, 0, 1, 2, 300, "DEE-CARD", "idle", "FullInventory", "StatusNotification", "1", ""]),
    st.lists(
        st.dictionaries(st.sampled_from(["component", "variable", "value", "evse", "attribute"]), st.just("a") | JUNK), max_size=2
    ),
)
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def tried(whats: Iterable[Any]) -> list[Any]:
    """What is tried and how often: some a few times, all many times in `make test-long`."""
    every = list(whats)
    few = [pytest.param(what, 5, id=f"{named(what)}-few") for what in every[::5]]
    return few + [pytest.param(what, 50, id=f"{named(what)}-many", marks=pytest.mark.long) for what in every]


def named(what: Any) -> str:
    return what if isinstance(what, str) else "-".join(what)


def bodies(kind: str) -> st.SearchStrategy[Any]:
    names = [field.name for field in fields(COMMANDS[kind])]
    params = st.dictionaries(st.sampled_from([*names, "colour"]), SENSE | JUNK) if names else st.just({}) | JUNK
    return st.fixed_dictionaries({"command": st.just(kind), "params": params}, optional={"reason": JUNK, "expires_in": JUNK})


def status(who: Person, path: str, body: Any) -> int:
    with transaction.atomic():  # an error of the database must not spoil the test's own transaction
        answer = who.client.post(path, orjson.dumps(body), JSON)
    assert answer.status_code < 400 or answer["Content-Type"] == "application/problem+json"
    return answer.status_code


@pytest.mark.parametrize(("kind", "count"), tried(COMMANDS))
def test_any_parameters_of_a_command_are_taken_or_refused(ada: Person, amber: Network, kind: str, count: int) -> None:
    @settings(PATIENT, max_examples=count)
    @given(bodies(kind))
    def check(body: Any) -> None:
        assert status(ada, "/api/v1/stations/AMBER-01/commands/", body) in (201, 400)

    check()


@pytest.mark.parametrize(
    ("call", "count"), tried((protocol, action) for protocol, table in registry.BY_ACTION.items() for action in sorted(table))
)
def test_any_payload_at_the_raw_door_is_taken_or_refused(ada: Person, amber: Network, call: tuple[str, str], count: int) -> None:
    protocol, action = call
    with scope(operator=ada.operator):
        Connection.objects.update(protocol=protocol)

    @settings(PATIENT, max_examples=count)
    @given(payloads(schemas.schema(protocol, action)) | JUNK)
    def check(payload: Any) -> None:
        assert status(ada, f"/api/v1/stations/AMBER-01/ocpp/{action}/?wait=0", payload) in (202, 400)

    check()
