"""From the message of a station to the verdict: signatures checked, what they say compared, and who waits for whom."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from billing import meterkeys, services, signedchecks, signedselectors
from billing.tasks import CHECKED_FIRST, check_signed_readings, make_charge_records
from csms.simulator.signing import CURVES
from stations.models import OutboxEntry, Station
from tests import v16, v201
from tests.billing.charging import STARTED, STOPPED, charge, codes, latest, meter_value, result, signed, verdicts
from tests.billing.meters import Meter, reading
from tests.engine import Engine
from tests.network import Network


@pytest.fixture
def newer(committed: None) -> Engine:
    return Engine("ocpp2.0.1")


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    return network.station(accepted=True)


@pytest.fixture
def ada(network: Network) -> Client:
    client = Client()
    client.force_login(network.user("ada.signs", role="owner"))
    return client


# From the wire to the badge


@pytest.mark.parametrize("curve", CURVES)
def test_a_session_of_2_0_1_is_verified_and_its_file_can_be_had(
    curve: str, network: Network, newer: Engine, station: Station, ada: Client
) -> None:
    meter = Meter(curve)
    charge(newer, station, *signed(meter))
    check_signed_readings()
    transaction = latest(station)
    told = ada.get(f"/api/v1/transactions/{transaction.pk}/").json()["signed"]
    assert told | {"checked_at": ""} == {
        **{"verdict": "verified", "energy_wh": 1000, "readings": 2, "differences": [], "checked_at": ""},
    }
    html = ada.get(f"/transactions/{transaction.pk}/").content.decode()
    assert "Signature verified" in html
    assert "the charger itself sent first" in html
    file = ada.get(f"/api/v1/transactions/{transaction.pk}/signed/")
    assert (file["Content-Type"], file.content.count(b"<value ")) == ("application/xml", 2)
    assert codes(network, station) == []


def test_a_session_of_1_6_is_verified_in_the_form_of_2_x_and_bare(
    network: Network, engine: Engine, station: Station, ada: Client
) -> None:
    meter = Meter()
    now = timezone.now()
    begin, end = meter.begin("1.000", now - timedelta(minutes=10)), meter.end("5.000", now - timedelta(minutes=1))
    number = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    payload = v16.meters(1000, 599, number, context="Transaction.Begin")
    about = json.dumps(meter.value(begin))
    payload["meterValue"][0]["sampledValue"].append({"value": about, "format": "SignedData", "context": "Transaction.Begin"})
    engine.say(station, "MeterValues", payload)
    check_signed_readings()
    assert result(station).verdict == "incomplete"  # it still runs
    data = v16.meters(None, 60)["meterValue"]
    data[0]["sampledValue"] = [{"value": end.encode().hex(), "format": "SignedData", "context": "Transaction.End"}]
    engine.say(station, "StopTransaction", v16.stop(number, transactionData=data))
    check_signed_readings()
    found = result(station)
    assert (found.verdict, found.energy_wh, found.differences) == ("verified", Decimal(4000), [])
    rows = ada.get(f"/api/v1/signed-readings/?transaction={found.transaction_id}").json()["results"]
    assert [row["verdict"] for row in rows] == ["verified", "verified"]
    # Plain in the file, however it came.
    text = ada.get(f"/transactions/{found.transaction_id}/signed.txt").content.decode()
    assert text.splitlines() == [begin, end]


def test_begin_and_end_in_one_record_are_enough(network: Network, newer: Engine, station: Station) -> None:
    meter = Meter()
    both = meter.record(reading("B", "1.000", STARTED), reading("E", "2.000", STOPPED))
    charge(newer, station, None, meter.value(both))
    check_signed_readings()
    assert (result(station).verdict, result(station).energy_wh) == ("verified", 1000)


def test_without_its_end_it_is_not_complete(network: Network, newer: Engine, station: Station) -> None:
    begin, _ = signed(Meter())
    charge(newer, station, begin, None)
    check_signed_readings()
    assert (result(station).verdict, result(station).energy_wh) == ("incomplete", None)


def test_the_end_is_compared_however_often_the_meter_signed_before(
    network: Network, newer: Engine, station: Station, ada: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signedchecks, "MOST", 4)
    monkeypatch.setattr(signedselectors, "SHOWN", 4)
    meter = Meter()
    first = meter_value(0, 1000, "Transaction.Begin", meter.value(meter.begin("1.000", STARTED)))
    newer.say(station, "TransactionEvent", v201.started(wh=None, meterValue=first))
    for number in range(1, 7):
        record = meter.record(reading("C", f"1.{number}00", STARTED + timedelta(seconds=20 * number)))
        values = meter_value(number / 3, 1000 + 100 * number, "Sample.Periodic", meter.value(record, key=False))
        newer.say(station, "TransactionEvent", v201.updated(number, minute=number / 3, meterValue=values))
    last = meter_value(3, 2000, "Transaction.End", meter.value(meter.end("2.000", STOPPED), key=False))
    newer.say(station, "TransactionEvent", v201.ended(7, minute=3, meterValue=last))
    check_signed_readings()
    assert (result(station).verdict, result(station).energy_wh, result(station).readings) == ("verified", 1000, 4)
    html = ada.get(f"/transactions/{latest(station).pk}/").content.decode()
    assert "The first and the last are shown" in html
    assert [text in html for text in ("1.000 kWh", "1.300 kWh", "2.000 kWh")] == [True, False, True]


def test_a_session_is_billed_after_its_check(network: Network, newer: Engine, station: Station) -> None:
    network.tariff()
    charge(newer, station, *signed(Meter(), "2.500"))
    charge(newer, station, *signed(Meter()), tx="tx-2")
    make_charge_records()
    assert network.charge_records() == []
    # They are put off, so that those behind them have their turn, and are due again as soon as they are checked.
    with scopes_disabled():
        waiting = OutboxEntry.objects.filter(operator=network.operator, subscriber=services.SUBSCRIBER)
        assert [entry.due_at > timezone.now() for entry in waiting] == [True, True]
    check_signed_readings()
    make_charge_records()
    # Of the first one its meter has signed another energy.
    (record,) = network.charge_records()
    assert record.transaction_id == latest(station).pk


def test_a_check_that_never_ends_holds_up_no_bill(network: Network, newer: Engine, station: Station) -> None:
    network.tariff()
    charge(newer, station, *signed(Meter()))
    with scopes_disabled():
        mine = OutboxEntry.objects.filter(operator=network.operator, subscriber=meterkeys.SUBSCRIBER)
        mine.update(created_at=timezone.now() - CHECKED_FIRST)
    make_charge_records()
    assert len(network.charge_records()) == 1


def test_checked_twice_it_is_the_same(network: Network, newer: Engine, station: Station) -> None:
    meter = Meter()
    charge(
        newer, station, meter.value(meter.begin("1.000", STARTED)), Meter().value(meter.end("2.000", STOPPED).replace("2.0", "9.0"))
    )
    for _ in range(2):
        check_signed_readings()
        assert verdicts(station) == ["verified", "wrong"]
        with scope(operator=network.operator):
            meterkeys.check_anew(station)
    assert network.finding(station, "signed_wrong").count == 1


def test_the_end_that_is_on_its_way_is_waited_for(network: Network, engine: Engine, station: Station) -> None:
    meter = Meter()
    number = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    payload = v16.meters(None, 60, number)
    data = {"value": meter.end("5.000"), "format": "SignedData", "context": "Transaction.End"}
    payload["meterValue"][0]["sampledValue"] = [data]
    engine.say(station, "MeterValues", payload)
    check_signed_readings()
    with scopes_disabled():
        (entry,) = OutboxEntry.objects.filter(operator=network.operator, subscriber=meterkeys.SUBSCRIBER)
    assert "is not" in entry.error
    engine.say(station, "StopTransaction", v16.stop(number))
    with scopes_disabled():
        OutboxEntry.objects.filter(pk=entry.pk).update(due_at=timezone.now())
    check_signed_readings()
    assert result(station).readings == 1


# Wrong ones


def test_an_altered_byte_is_told_and_bills_nobody_otherwise(network: Network, newer: Engine, station: Station, ada: Client) -> None:
    meter = Meter()
    begin, _ = signed(meter)
    forged = meter.end("2.000", STOPPED).replace('"RV": 2.000', '"RV": 9.000')
    charge(newer, station, begin, meter.value(forged))
    check_signed_readings()
    found = result(station)
    assert (found.verdict, [one["code"] for one in found.differences]) == ("wrong", ["energy"])
    assert codes(network, station) == ["signed_differs", "signed_wrong"]
    # What is not provably the meter's contradicts nothing.
    assert latest(station).doubt == ""
    assert "Signature wrong" in ada.get(f"/transactions/{found.transaction_id}/").content.decode()


def test_another_energy_that_is_provably_the_meters_waits_for_a_person(
    network: Network, newer: Engine, station: Station, ada: Client
) -> None:
    charge(newer, station, *signed(Meter(), "2.500"))
    check_signed_readings()
    transaction = latest(station)
    assert (transaction.doubt, result(station).verdict) == ("signed", "verified")
    assert codes(network, station) == ["signed_differs"]
    assert "Its meter signed another energy" in ada.get("/review/").content.decode()
    assert "energy differs" in ada.get(f"/transactions/{transaction.pk}/").content.decode()
    # Once somebody has decided it stands, however often it is checked again.
    answer = ada.post(f"/api/v1/transactions/{transaction.pk}/repair/", {"fix": "accept"}, "application/json")
    assert answer.status_code == 201, answer.content
    with scope(operator=network.operator):
        meterkeys.check_anew(station)
    check_signed_readings()
    assert latest(station).doubt == ""


def test_what_is_rounded_is_no_difference(network: Network, newer: Engine, station: Station) -> None:
    meter = Meter()
    begin, end = meter.begin("1.00", STARTED), meter.end("2.01", STOPPED)
    charge(newer, station, meter.value(begin), meter.value(end))
    check_signed_readings()
    assert (result(station).differences, latest(station).doubt) == ([], "")


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("id_tag", lambda m: (m.begin("1.000", STARTED, ID="OTHER"), m.end("2.000", STOPPED, ID="OTHER"))),
        ("time", lambda m: (m.begin("1.000", STARTED - timedelta(hours=1)), m.end("2.000", STOPPED))),
        ("fault", lambda m: (m.begin("1.000", STARTED), m.record(reading("E", "2.000", STOPPED, EF="E")))),
        ("meter", lambda m: (m.begin("1.000", STARTED), m.end("2.000", STOPPED, MS="SN-2"))),
        ("context", lambda m: (m.end("2.000", STOPPED), m.begin("1.000", STARTED))),
        ("register", lambda m: (m.begin("2.000", STARTED), m.end("1.000", STOPPED))),
        ("page", lambda m: (m.begin("1.000", STARTED, PG="T9"), m.end("2.000", STOPPED, PG="T8"))),
    ],
)
def test_what_differs_is_told(
    code: str, make: Callable[[Meter], tuple[str, str]], network: Network, newer: Engine, station: Station
) -> None:
    meter = Meter()
    begin, end = make(meter)
    charge(newer, station, meter.value(begin), meter.value(end))
    check_signed_readings()
    assert code in [one["code"] for one in result(station).differences]
    assert "signed_differs" in codes(network, station)
    assert latest(station).doubt == ""


@pytest.mark.parametrize("pages", [("F9", "T8"), ("T9", ""), ("", "")])
def test_pages_that_cannot_be_compared_are_no_difference(
    pages: tuple[str, str], network: Network, newer: Engine, station: Station
) -> None:
    meter = Meter()
    begin, end = meter.begin("1.000", STARTED, PG=pages[0]), meter.end("2.000", STOPPED, PG=pages[1])
    charge(newer, station, meter.value(begin), meter.value(end))
    check_signed_readings()
    assert (result(station).verdict, result(station).differences) == ("verified", [])


def test_a_meter_that_does_not_know_the_time_says_no_other_time(network: Network, newer: Engine, station: Station) -> None:
    meter = Meter()
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)
    records = (meter.record(reading(r, k, long_ago, clock="U")) for r, k in (("B", "1.000"), ("E", "2.000")))
    charge(newer, station, *(meter.value(record) for record in records))
    check_signed_readings()
    assert (result(station).verdict, result(station).differences) == ("verified", [])


@pytest.mark.parametrize("data", ["AAA=", "OCMF|{}|{}", "OCMF|" + "[" * 2000, "<signedMeterValue/>", '{"a":1}'])
def test_what_cannot_be_read_is_kept_and_handed_out_as_it_came(
    data: str, network: Network, newer: Engine, station: Station, ada: Client
) -> None:
    about = {"signedMeterData": data, "signingMethod": "", "encodingMethod": "EDL", "publicKey": ""}
    charge(newer, station, None, about)
    check_signed_readings()
    assert (result(station).verdict, codes(network, station)) == ("unreadable", ["signed_unreadable"])
    file = ada.get(f"/transactions/{latest(station).pk}/signed.txt")
    assert file.content.decode() == f"{data}\n"
    assert ada.get(f"/transactions/{latest(station).pk}/").status_code == 200


def test_a_curve_that_cannot_be_calculated_is_no_lie(network: Network, newer: Engine, station: Station) -> None:
    meter = Meter()
    record = meter.sign(meter.payload(reading("E", "2.000", STOPPED)), SA="ECDSA-secp192k1-SHA256")
    charge(newer, station, None, meter.value(record))
    check_signed_readings()
    assert (result(station).verdict, codes(network, station)) == ("unsupported", [])
