"""Quirks at work in the engine: found by the make, in both directions, renewed at once, told once an hour."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django_scopes import scopes_disabled

from stations.domain import commands as asked
from stations.models import Finding, Quirk, Station
from stations.services import commands, quirks, registry
from tests import v16, v201
from tests.engine import Engine
from tests.network import Network

ODD_TIMES = [{"do": "local_time_zone", "zone": "Asia/Kolkata"}]


def add(network: Network, *adjustments: dict[str, Any], **fields: Any) -> Quirk:
    with scopes_disabled():
        return quirks.add(operator=network.operator, **{"name": "Odd", "vendor": "Acme"} | fields, adjustments=list(adjustments))


@pytest.fixture
def station(network: Network) -> Station:
    network.token("CARD")
    return network.station(accepted=True, vendor="Acme", model="One", firmware_version="1.5")


def boot(vendor: str = "Acme", firmware: str = "1.5") -> dict[str, Any]:
    return {"chargePointVendor": vendor, "chargePointModel": "One", "firmwareVersion": firmware}


def started_at(network: Network, engine: Engine, station: Station, text: str) -> datetime:
    engine.say(station, "StartTransaction", v16.start(tag="CARD") | {"timestamp": text})
    return network.transactions(station)[-1].started_at


# Which station has which


def test_one_that_is_added_changed_switched_and_removed_counts_from_the_next_message(
    network: Network, engine: Engine, station: Station
) -> None:
    assert started_at(network, engine, station, "2026-11-20T10:00:00").hour == 10
    quirk = add(network, *ODD_TIMES)
    assert started_at(network, engine, station, "2026-11-20T11:00:00").hour == 5
    with scopes_disabled():
        quirks.change(quirk=quirk, adjustments=[{"do": "local_time_zone", "zone": "Europe/Copenhagen"}])
        assert started_at(network, engine, station, "2026-11-20T12:00:00").hour == 11
        quirks.switch(operator=network.operator, quirk=quirk, active=False)
        assert started_at(network, engine, station, "2026-11-20T13:00:00").hour == 13
        quirks.switch(operator=network.operator, quirk=quirk, active=True)
        assert started_at(network, engine, station, "2026-11-20T14:00:00").hour == 13
        quirks.remove(quirk=quirk)
    assert started_at(network, engine, station, "2026-11-20T15:00:00").hour == 15


def test_a_boot_of_another_make_brings_its_quirks_and_leaves_the_old_ones(
    network: Network, engine: Engine, station: Station
) -> None:
    add(network, *ODD_TIMES, firmware_from="1.6")
    assert started_at(network, engine, station, "2026-11-20T10:00:00").hour == 10
    engine.say(station, "BootNotification", boot(firmware="1.10"))
    assert started_at(network, engine, station, "2026-11-20T11:00:00").hour == 5
    engine.say(station, "BootNotification", boot(vendor="Other", firmware="1.10"))
    assert started_at(network, engine, station, "2026-11-20T12:00:00").hour == 12


def test_those_of_another_operator_or_version_are_none(network: Network, engine: Engine, station: Station) -> None:
    add(Network(), *ODD_TIMES)
    add(network, *ODD_TIMES, protocol="ocpp2.0.1")
    assert started_at(network, engine, station, "2026-11-20T10:00:00").hour == 10


def test_ones_own_has_the_last_word_and_a_shipped_one_may_be_off(network: Network, engine: Engine) -> None:
    network.token("CARD")
    known = network.station(accepted=True, vendor="Growatt", model="THOR")
    assert started_at(network, engine, known, "2026-11-20T10:00:00").hour == 10  # without a site: UTC
    add(network, *ODD_TIMES, vendor="Growatt")
    assert started_at(network, engine, known, "2026-11-20T11:00:00").hour == 5
    with scopes_disabled():
        shipped = Quirk.shipped.get(code="growatt-local-time")
        quirks.switch(operator=network.operator, quirk=shipped, active=False)
        with pytest.raises(ValidationError):
            quirks.change(quirk=shipped, vendor="Acme")
    assert "quirk_applied" in network.findings(known)


def test_no_more_than_a_bound_are_kept(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quirks, "MOST", 1)
    add(network, *ODD_TIMES)
    with pytest.raises(ValidationError, match="1 quirks"):
        add(network, *ODD_TIMES)


# What they do


def test_a_name_in_other_letters_is_found(network: Network, engine: Engine, station: Station) -> None:
    network.token("04A1B2C3")
    add(network, {"do": "id_tag_reversed"})
    assert engine.say(station, "Authorize", {"IDTAG": "C3B2A104"})["idTagInfo"]["status"] == "Accepted"
    assert network.findings(station) == ["mended_additionalProperties", "quirk_applied"]


def test_a_change_is_told_once_an_hour(network: Network, engine: Engine, station: Station) -> None:
    add(network, {"do": "register_unit", "unit": "kWh"})
    now = datetime.now(UTC)
    for minutes in (0, 1, 30, 61):
        engine.say(station, "MeterValues", v16.meters(5, seconds=600 - minutes), at=now + timedelta(minutes=minutes))
    found = network.finding(station, "quirk_applied")
    assert (found.subject, found.count, found.detail) == ("register_unit", 2, "Odd: 1 registers read in kWh.")
    assert {sample.energy_wh for sample in network.samples(station)} == {5000}


def test_registers_of_start_and_stop_are_multiplied(network: Network, engine: Engine, station: Station) -> None:
    add(network, {"do": "start_stop_factor", "factor": "1000"}, {"do": "register_unit", "unit": "kWh"})
    transaction = engine.say(station, "StartTransaction", v16.start(meter=361))["transactionId"]
    engine.say(station, "MeterValues", v16.meters(364, transaction=transaction))
    engine.say(station, "StopTransaction", v16.stop(transaction, meter="365.5"))
    (charged,) = network.transactions(station)
    assert (charged.energy_wh, charged.meter_last_wh, charged.doubt) == (4500, 364_000, "")


def test_tags_are_read_as_they_are_printed(network: Network, engine: Engine, station: Station) -> None:
    network.token("04A1B2C3")
    add(network, {"do": "id_tag_plain"})
    assert engine.say(station, "Authorize", {"idTag": "04:A1 B2-C3"})["idTagInfo"]["status"] == "Accepted"
    with scopes_disabled():
        quirks.change(quirk=Quirk.objects.get(operator=network.operator), adjustments=[{"do": "id_tag_reversed"}])
    assert engine.say(station, "Authorize", {"idTag": "C3B2A104"})["idTagInfo"]["status"] == "Accepted"


def test_answers_are_as_the_station_can_bear_them(network: Network, engine: Engine, station: Station) -> None:
    network.token("GROUPED", group="FLEET", expires_at=datetime(2030, 1, 1, tzinfo=UTC))
    assert set(engine.say(station, "Authorize", {"idTag": "GROUPED"})["idTagInfo"]) == {"status", "expiryDate", "parentIdTag"}
    add(network, {"do": "plain_id_tag_info"}, {"do": "heartbeat_at_most", "seconds": 60}, {"do": "empty_stop_answer"})
    assert engine.say(station, "Authorize", {"idTag": "GROUPED"})["idTagInfo"] == {"status": "Accepted"}
    assert engine.say(station, "BootNotification", boot())["interval"] == 60
    transaction = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    assert engine.say(station, "StopTransaction", v16.stop(transaction, idTag="CARD")) == {}


def test_numbers_of_events_that_mean_nothing_hold_up_no_bill(network: Network, station: Station) -> None:
    engine = Engine("ocpp2.0.1")
    add(network, {"do": "sequence_unreliable"})
    for event in (v201.started(0), v201.updated(0, minute=1, wh=1500), v201.ended(9, minute=2, wh=2000)):
        engine.say(station, "TransactionEvent", event)
    (charged,) = network.transactions(station)
    assert (charged.status, charged.doubt, charged.energy_wh) == ("ended", "", 1000)


def test_factors_of_measurands_are_exact(network: Network, station: Station) -> None:
    engine = Engine("ocpp2.0.1")
    add(network, {"do": "measurand_factor", "measurand": "Voltage", "factor": "0.1"})
    value = {"timestamp": v201.at(0), "sampledValue": [{"value": 2301.3, "measurand": "Voltage"}]}
    engine.say(station, "MeterValues", {"evseId": 1, "meterValue": [value]})
    assert network.samples(station)[0].voltage_v == Decimal("230.130")


# What stations are asked


def ask(engine: Engine, station: Station, command: Any) -> Any:
    engine.connect(station)
    with scopes_disabled():
        row = commands.issue(station=station, command=command, user=None)
    return row, engine.claim(station)


def test_they_are_asked_for_measurands_they_have_in_calls_of_a_size_they_bear(
    network: Network, engine: Engine, station: Station
) -> None:
    add(network, {"do": "measurands_allowed", "measurands": ["Voltage", "SoC"]}, {"do": "keys_per_call", "keys": 2})
    names = [{"component": "", "variable": name} for name in "ABCDE"]
    _, (errand,) = ask(engine, station, asked.GetVariables(names))
    assert [call["key"] for call in errand.calls] == [["A", "B"], ["C", "D"], ["E"]]
    engine.reply(station, errand, *[{} for _ in errand.calls])
    wanted = {"component": "", "variable": "MeterValuesSampledData", "value": "Voltage,RPM, SoC"}
    _, (errand,) = ask(engine, station, asked.SetVariables([wanted]))
    assert errand.calls == ({"key": "MeterValuesSampledData", "value": "Voltage,SoC"},)
    engine.reply(station, errand, {"status": "Accepted"})
    with scopes_disabled():
        told = set(Finding.objects.filter(station=station, code="quirk_applied").values_list("detail", flat=True))
    assert told == {"Odd: asked in 3 calls.", "Odd: not asked for: RPM."}
    row, _ = ask(engine, station, asked.SetVariables([wanted | {"value": "RPM"}]))
    # Behind the question what the setting is now.
    engine.reply(station, engine.sent[0], {}) if engine.sent else None
    engine.claim(station)
    with scopes_disabled():
        row.refresh_from_db()
    assert (row.status, "they report Voltage, SoC" in row.detail) == ("failed", True)


def test_the_same_in_2_0_1(network: Network, station: Station) -> None:
    engine = Engine("ocpp2.0.1")
    add(network, {"do": "measurands_allowed", "measurands": ["Voltage"]}, {"do": "trigger_needs_connector", "connector": 2})
    wanted = {"component": "SampledDataCtrlr", "variable": "TxUpdatedMeasurands", "value": "Voltage,SoC"}
    _, (errand,) = ask(engine, station, asked.SetVariables([wanted]))
    assert errand.calls[0]["setVariableData"][0]["attributeValue"] == "Voltage"
    engine.reply(station, errand, None)
    _, (errand,) = ask(engine, station, asked.TriggerMessage("MeterValues"))
    assert errand.calls[0] == {"requestedMessage": "MeterValues", "evse": {"id": 2}}


# Strictly


def test_who_is_held_strictly_is_refused_from_the_next_message_on_and_again_understood_after(
    network: Network, engine: Engine, station: Station
) -> None:
    broken = {"connectorid": 1, "errorCode": "none", "status": "available"}
    assert engine.say(station, "statusNotification", broken) == {}
    with scopes_disabled():
        registry.set_strict(station=station, strict=True)
    assert engine.say(station, "statusNotification", broken)[2] == "NotImplemented"
    assert engine.say(station, "StatusNotification", broken)[0] == 4
    assert engine.say(station, "StatusNotification", v16.status("Available")) == {}
    with scopes_disabled():
        registry.set_strict(station=station, strict=False)
    assert engine.say(station, "StatusNotification", broken) == {}


def test_a_station_may_be_added_strict_by_the_shell(network: Network) -> None:
    identity = f"{network.prefix}-STRICT"
    call_command("station", "add", identity, "--operator", network.operator.name, "--strict")
    with scopes_disabled():
        assert Station.objects.get(identity=identity).strict
        call_command("station", "strict", identity, "no")
        assert not Station.objects.get(identity=identity).strict
