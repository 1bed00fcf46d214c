"""What keeping a plug costs is paid by the session that uses it: on displays, on pages, on the bill, and in what-if."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scopes_disabled

from billing import corrections, drafts, selectors, tariffs, tasks, whatif
from billing.models import ChargeRecord
from stations import ports
from stations.models import Command, Reservation
from tests import v16, v201
from tests.network import Network
from tests.peer import ago
from tests.stations.test_reservation import kept
from tests.stations.test_tariffstays import Charger

#: To reserve: 6 an hour, and 1; to charge: 0.50 a kWh; and 20 percent tax.
TO_RESERVE = {
    "price_components": [
        {"type": "TIME", "price": 6, "vat": 20, "step_size": 60},
        {"type": "FLAT", "price": 1, "vat": 20, "step_size": 1},
    ],
    "restrictions": {"reservation": "RESERVATION"},
}
TO_CHARGE = {"price_components": [{"type": "ENERGY", "price": 0.5, "vat": 20, "step_size": 1}]}
ENERGY = ("ENERGY", "4", "2")


class Reserved(Charger):
    """A charger that keeps its plug for the one who comes. It charges 4 kWh."""

    def __init__(self, network: Network, version: str) -> None:
        super().__init__(network, version)
        self.begin = v201.at(0) if self.newer else ago(600)
        self.begun = datetime.fromisoformat(self.begin)

    @scopes_disabled()
    def keeps(self, minutes: float, *, answered: bool = True, **fields: Any) -> int:
        """The plug, from so long before the start on; asked for ten minutes before that. Returns the reservation's number."""
        made = kept(self.engine, self.station)
        since = self.begun - timedelta(minutes=minutes)
        Command.objects.filter(pk=made.command_id).update(answered_at=since if answered else None)
        Reservation.objects.filter(pk=made.pk).update(created_at=since - timedelta(minutes=10), **fields)
        self.is_taken_over()
        return made.number

    def starts(self, **fields: Any) -> None:
        if self.newer:
            self.engine.say(self.station, "TransactionEvent", v201.started(timestamp=self.begin, **fields))
        else:
            begun = v16.start(0, timestamp=self.begin, **fields)
            self.id = self.engine.say(self.station, "StartTransaction", begun)["transactionId"]
            self._told()


@pytest.fixture(params=["1.6", "2.0.1"])
def charger(request: pytest.FixtureRequest, network: Network, committed: None) -> Reserved:
    network.token("CARD")
    with scopes_disabled():
        ocpi = {"elements": [TO_RESERVE, TO_CHARGE]}
        tariffs.add_tariff(operator=network.operator, name="Reserved", ocpi=ocpi, is_default=True)
    return Reserved(network, request.param)


def billed(charger: Reserved) -> ChargeRecord:
    with scopes_disabled():
        tasks.make_charge_records()
        return ChargeRecord.objects.select_related("tariff", "version").get(transaction=charger.row)


def lines(record: ChargeRecord) -> list[tuple[str, str, str]]:
    """What it is for, how much, and what it costs without tax."""
    return [(line["dimension"], line["volume"], line["cost_excl_tax"]) for line in record.lines]


@pytest.mark.parametrize("named", [True, False], ids=["named", "by-its-tag"])
def test_who_comes_for_a_reserved_plug_pays_the_same_for_it_everywhere(charger: Reserved, named: bool) -> None:
    number = charger.keeps(30)
    charger.starts(**({"reservationId": number} if named else {}))
    assert charger.row.reserved_at == charger.begun - timedelta(minutes=30)
    assert charger.charged(4) == Decimal("7.20")
    charger.is_taken_over()
    assert charger.charged(4) == Decimal("7.20")
    assert ports.running_cost([charger.row]) == {charger.row.pk: (Decimal("7.20"), "EUR")}
    assert charger.ends(4) == Decimal("7.20")

    record, row = billed(charger), charger.row
    assert lines(record) == [("RESERVATION", "1", "1"), ("RESERVATION", "0.5", "3"), ENERGY]
    assert (record.total_excl_tax, record.total_incl_tax) == (Decimal("6.00"), Decimal("7.20"))
    assert row.stopped_at is not None
    with scopes_disabled():
        found = whatif.priced(record.tariff_snapshot, whatif.past(row), operator_id=row.operator_id)
        assert (found.total_excl_tax, found.total_incl_tax) == (record.total_excl_tax, record.total_incl_tax)
        assert [f"{line.volume:f}" for line in found.lines] == [line["volume"] for line in record.lines]
        times = {"started_at": row.started_at, "stopped_at": row.stopped_at}
        assert selectors.would_cost(row, energy_wh=Decimal(4000), **times) == (Decimal("7.20"), "EUR")
        again = corrections.anew([record], pricing=corrections.ASSIGNED)[record.pk]
        assert isinstance(again, ChargeRecord)
        assert not drafts.differs(record, again)


def test_without_a_reservation_nobody_pays_for_one(charger: Reserved) -> None:
    charger.starts()
    assert charger.row.reserved_at is None
    assert charger.charged(4) == Decimal("2.40")
    assert ports.running_cost([charger.row]) == {charger.row.pk: (Decimal("2.40"), "EUR")}
    assert charger.ends(4) == Decimal("2.40")
    record = billed(charger)
    assert (lines(record), record.total_incl_tax) == ([ENERGY], Decimal("2.40"))


def test_a_stranger_at_a_reserved_plug_does_not_pay_for_it(charger: Reserved) -> None:
    charger.keeps(30, id_tag="OTHER", id_key="OTHER")
    charger.starts()
    charger.ends(4)
    assert lines(billed(charger)) == [ENERGY]


def test_a_plug_is_kept_from_when_it_was_asked_for_if_the_answer_is_not_known(charger: Reserved) -> None:
    charger.keeps(30, answered=False)
    charger.starts()
    assert charger.row.reserved_at == charger.begun - timedelta(minutes=40)


def test_a_plug_that_was_kept_since_the_start_costs_no_time(charger: Reserved) -> None:
    """By clocks that differ it was kept only after it."""
    charger.starts(reservationId=charger.keeps(-5))
    assert charger.row.reserved_at == charger.begun
    charger.ends(4)
    assert lines(billed(charger)) == [("RESERVATION", "1", "1"), ENERGY]


def test_whoever_comes_when_its_time_is_over_pays_nothing_for_it(charger: Reserved) -> None:
    over = {"status": "expired", "expires_at": charger.begun - timedelta(minutes=5)}
    charger.starts(reservationId=charger.keeps(30, **over))
    with scopes_disabled():
        assert Reservation.objects.get(station=charger.station).status == "used"
    assert charger.row.reserved_at is None
    charger.ends(4)
    assert lines(billed(charger)) == [ENERGY]
