"""The drivers' side of the OpenAPI document is true, in the hands of a driver (schemathesis). What it says of logging in, which
is allauth's, a client made from it tries: `test_client.py`."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import given
from schemathesis import GenerationMode
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import positive_data_acceptance

from stations.models import Connector
from tests.api.drivers.conftest import Driver
from tests.api.test_openapi import EVERY, drivers_document, examples, unbounded
from tests.dashboard.rows import bill, finished
from tests.network import Network

__all__ = ["unbounded"]
OPERATIONS = [found.ok() for found in drivers_document.get_all_operations()]


@pytest.fixture
def existing(amber: Network, dee: Driver, free: Connector) -> Iterator[dict[str, str]]:
    """One of each thing, by its path."""
    done = finished(free, id_token=dee.token)
    record = bill(done, amber.tariff())
    asked = dee.app.ask("post", "charge/start/", {"station": free.evse.station.identity, "evse": 1}, 202)
    # After the phone's last request, which puts back what ends the test's transaction.
    signals = request_started, request_finished
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield {"me/sessions": str(done.pk), "me/receipts": str(record.pk), "charge/commands": str(asked["id"])}
    for signal in signals:
        signal.connect(close_old_connections)


def ask(case: Any, dee: Driver, existing: dict[str, str]) -> None:
    negative_path = case.meta and case.meta.is_negative_at(ParameterLocation.PATH)
    if case.path_parameters and not negative_path and len(str(case.path_parameters)) % 2:
        part = "/".join(case.operation.path.split("/")[3:5])
        case.path_parameters = {name: existing.get(part, value) for name, value in case.path_parameters.items()}
    # It cannot say which plugs there are, which cursors were given out, and that lat goes with lon.
    said = case.method == "GET" and not {"cursor", "lat", "lon"} & case.query.keys()
    excluded = [] if said else [positive_data_acceptance]
    with transaction.atomic():
        case.call_and_validate(headers={"Authorization": dee.app.defaults["HTTP_AUTHORIZATION"]}, excluded_checks=excluded)
        transaction.set_rollback(True)


@pytest.mark.long
@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.label)
def test_whatever_a_driver_asks_is_answered_as_the_document_says(
    operation: Any, mode: GenerationMode, dee: Driver, existing: dict[str, str]
) -> None:
    @examples(EVERY, max_examples=50)
    @given(operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        ask(case, dee, existing)

    if mode is GenerationMode.POSITIVE or operation.iter_parameters() or operation.body:
        check()
