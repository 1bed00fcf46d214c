"""Customer information (OCPP 2.0.1 N09-N10): told in pages, kept for a bounded time, seen by nobody who needs not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_scopes import scopes_disabled

from accounts.models import AuditEntry
from stations import outbox, topics
from stations.domain import commands
from stations.domain.commands import BadCommand
from stations.models import Command, CustomerPage, OutboxEntry, Report, Station
from stations.services import customerinformation
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, connected, issue, now_of, sent
from tests.stations.monitored import page

CARD = {"id_token": "04A1B2C3", "id_token_type": "ISO14443"}


@pytest.fixture
def engine(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine)


def asked(engine: Engine, station: Station, answer: Any = ACCEPTED, **params: Any) -> tuple[Command, int]:
    row = issue(station, commands.CustomerInformation.of(params))
    errand = sent(engine, station)
    engine.reply(station, errand, answer)
    return row, errand.calls[0]["requestId"]


def report_of(row: Command) -> Report:
    with scopes_disabled():
        return Report.objects.get(pk=row.pk)


def text_of(row: Command) -> str:
    with scopes_disabled():
        return customerinformation.text_of(report_of(row))


def test_its_pages_are_read_in_their_order(engine: Engine, station: Station) -> None:
    row, number = asked(engine, station, **CARD)
    engine.say(station, "NotifyCustomerInformation", page(number, 1, last=True, data=" of Dee"))
    engine.say(station, "NotifyCustomerInformation", page(number, 0, data="Two sessions"))
    assert text_of(row) == "Two sessions of Dee"
    assert (report_of(row).status, now_of(row).status, report_of(row).about["id_token"]) == ("complete", "confirmed", "04A1B2C3")


def test_who_it_is_about_stands_in_no_list_that_is_for_everybody(network: Network, engine: Engine, station: Station) -> None:
    row, number = asked(engine, station, customer_identifier="dee@example.org")
    engine.say(station, "NotifyCustomerInformation", page(number, 0, last=True, data="Dee lives here"))
    assert now_of(row).params["customer_identifier"] == "***"
    frames = "".join(entry.call + entry.answer for entry in network.log(station))
    assert "NotifyCustomerInformation" in frames
    assert "dee@" not in frames
    assert "lives" not in frames
    told = AuditEntry.objects.with_scopes_disabled().filter(action="command.asked", object_id=str(station.pk))
    assert "dee@" not in str([entry.after for entry in told])


def test_a_customer_of_whom_nothing_is_kept(engine: Engine, station: Station) -> None:
    row, number = asked(engine, station, **CARD)
    engine.say(station, "NotifyCustomerInformation", page(number, 0, last=True, data=""))
    assert (report_of(row).status, report_of(row).items, text_of(row)) == ("complete", 0, "")


def test_what_nobody_asked_for_is_not_kept(network: Network, engine: Engine, station: Station) -> None:
    assert engine.say(station, "NotifyCustomerInformation", page(77, 0, last=True, data="Dee")) == {}
    assert network.findings(station) == ["customer_information_unasked"]
    with scopes_disabled():
        assert not CustomerPage.objects.filter(operator=station.operator).exists()


@pytest.mark.parametrize("status", ["Rejected", "Invalid"])
def test_a_station_that_will_not_is_told(engine: Engine, station: Station, status: str) -> None:
    row, _ = asked(engine, station, {"status": status}, **CARD)
    assert (report_of(row).status, report_of(row).detail, now_of(row).status) == ("refused", status, "rejected")


def test_a_customer_is_forgotten_without_a_report_by_the_answer(engine: Engine, station: Station) -> None:
    row, _ = asked(engine, station, report=False, clear=True, **CARD)
    assert (report_of(row).status, now_of(row).status) == ("complete", "confirmed")


def test_whoever_keeps_local_lists_hears_of_a_token_that_is_forgotten(engine: Engine, station: Station) -> None:
    """OCPP 2.0.1 N10.FR.02."""

    def heard() -> list[Any]:
        with scopes_disabled():
            return list(OutboxEntry.objects.filter(operator=station.operator_id).values_list("topic", "facts"))

    outbox.want("local-lists", (topics.TOKEN_FORGOTTEN,), operator=station.operator)
    asked(engine, station, {"status": "Rejected"}, clear=True, **CARD)
    asked(engine, station, report=True, clear=False, **CARD)
    assert heard() == []
    asked(engine, station, clear=True, **CARD)
    told = {"station": station.pk, "id_token": "04A1B2C3", "type": "ISO14443"}
    assert heard() == [(topics.TOKEN_FORGOTTEN, told)]


def test_it_is_deleted_after_its_term_and_the_command_stays(engine: Engine, station: Station) -> None:
    old, number = asked(engine, station, **CARD)
    engine.say(station, "NotifyCustomerInformation", page(number, 0, last=True, data="Dee"))
    new, _ = asked(engine, station, **CARD)
    with scopes_disabled():
        Report.objects.filter(pk=old.pk).update(created_at=datetime.now(UTC) - customerinformation.KEPT - timedelta(hours=1))
        assert customerinformation.let_go(now=datetime.now(UTC)) == 1
        assert not CustomerPage.objects.filter(report_id=old.pk).exists()
        assert list(Report.objects.filter(station=station).values_list("pk", flat=True)) == [new.pk]
    assert now_of(old).status == "confirmed"


def test_it_can_be_deleted_before(engine: Engine, station: Station) -> None:
    row, number = asked(engine, station, **CARD)
    engine.say(station, "NotifyCustomerInformation", page(number, 0, last=True, data="Dee"))
    with scopes_disabled():
        customerinformation.delete(report=report_of(row))
        assert not Report.objects.filter(pk=row.pk).exists()
        assert AuditEntry.objects.filter(action="customer.deleted", object_id=str(station.pk)).exists()


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({}, "Name the customer by one of"),
        (CARD | {"customer_identifier": "x"}, "Name the customer by one of"),
        (CARD | {"report": False}, "Say what is wanted"),
        (CARD | {"report": 1}, "report must be true or false"),
        ({"customer_identifier": "x" * 65}, "customer_identifier must be a text of 1 to 64"),
        ({"id_token": "A", "id_token_type": "Odd"}, "id_token_type must be one of"),
        ({"customer_identifier": "x", "id_token_type": "Local"}, "needs its id_token"),
        ({"customer_certificate": {"serial_number": "1"}}, "needs exactly hash_algorithm"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(params: dict[str, Any], why: str) -> None:
    with pytest.raises(BadCommand, match=why):
        commands.CustomerInformation.of(params)
