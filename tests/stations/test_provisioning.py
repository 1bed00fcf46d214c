"""Boots, and who is heard before one (OCPP 2.0.1 B01 to B03, 1.6 4.2 and errata 3.10)."""

import re
from datetime import timedelta
from typing import Any

import pytest

from stations.domain.values import Registration
from stations.models import Station
from stations.services import registry
from tests import v16
from tests.engine import Engine
from tests.network import Network


def refreshed(station: Station) -> Station:
    return Station.objects.with_scopes_disabled().get(pk=station.pk)


def test_an_accepted_station_is_told_the_time_and_its_heartbeat_interval(network: Network, engine: Engine) -> None:
    station = network.station(heartbeat_interval_s=240)
    answer = engine.say(station, "BootNotification", v16.BOOT)
    assert (answer["status"], answer["interval"]) == ("Accepted", 240)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", answer["currentTime"])


def test_a_boot_leaves_what_the_station_says_of_itself(network: Network, engine: Engine) -> None:
    station = network.station()
    engine.say(station, "BootNotification", v16.BOOT | {"chargeBoxSerialNumber": "BOX-1", "iccid": "89", "meterType": "M"})
    known = refreshed(station)
    assert (known.vendor, known.model, known.firmware_version) == ("Amber", "AC-22", "1.0")
    assert (known.serial_number, known.iccid, known.imsi, known.meter_type) == ("BOX-1", "89", "", "M")
    assert known.booted_at == known.accepted_at is not None


def test_both_serial_numbers_and_the_reason_of_a_start_are_kept(network: Network, engine: Engine) -> None:
    station = network.station()
    both = {"chargePointSerialNumber": "SN-1", "chargeBoxSerialNumber": "BOX-1"}
    engine.say(station, "BootNotification", v16.BOOT | both)
    known = refreshed(station)
    assert (known.serial_number, known.box_serial_number, known.boot_reason) == ("SN-1", "BOX-1", "")
    boot = {"reason": "Watchdog", "chargingStation": {"vendorName": "Amber", "model": "AC-22", "serialNumber": "SN-1"}}
    Engine("ocpp2.0.1").say(station, "BootNotification", boot)
    assert refreshed(station).boot_reason == "Watchdog"


def test_a_changed_firmware_is_a_finding_and_the_same_is_none(network: Network, engine: Engine) -> None:
    station = network.station()
    engine.say(station, "BootNotification", v16.BOOT)
    engine.say(station, "BootNotification", v16.BOOT)
    assert network.findings(station) == []
    engine.say(station, "BootNotification", v16.BOOT | {"firmwareVersion": "1.1"})
    assert network.finding(station, "firmware_changed").detail == "The firmware changed from 1.0 to 1.1."


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("Heartbeat", {}),
        ("Authorize", {"idTag": "CARD"}),
        ("StatusNotification", v16.status("Available")),
        ("StartTransaction", v16.start()),
        ("StopTransaction", v16.stop(1)),
        ("MeterValues", v16.meters(1)),
        ("DataTransfer", {"vendorId": "v"}),
        # Not even the question whether the message is understood is answered.
        ("FirmwareStatusNotification", {"status": "Installed"}),
        ("MakeCoffee", {}),
        ("StartTransaction", {"nonsense": True}),
    ],
)
def test_before_its_boot_a_station_hears_security_error(network: Network, engine: Engine, action: str, payload: Any) -> None:
    station = network.station()
    network.token("CARD")
    answer = engine.say(station, action, payload)
    assert answer[:1] + answer[2:] == [4, "SecurityError", "The station is not accepted: send a BootNotification first.", {}]
    assert (network.transactions(station), network.samples(station), network.repairs(station), network.history(station)) == (
        [],
        [],
        [],
        [],
    )
    # What it said is in the log all the same.
    assert [(entry.action, entry.outcome) for entry in network.log(station)] == [(action, "SecurityError")]


def test_a_boot_that_breaks_the_schema_is_told_so_and_not_that_a_boot_is_missing(network: Network, engine: Engine) -> None:
    station = network.station()
    assert (
        engine.say(station, "BootNotification", {"chargePointVendor": {}, "chargePointModel": "M"})[2] == "TypeConstraintViolation"
    )
    assert engine.say(station, "Heartbeat", {})[2] == "SecurityError"


@pytest.mark.parametrize("registration", [Registration.PENDING, Registration.REJECTED])
def test_a_station_that_is_not_accepted_is_told_so_and_stays_unheard(
    network: Network, engine: Engine, registration: Registration
) -> None:
    station = network.station(registration=registration.value, accepted=True)
    answer = engine.say(station, "BootNotification", v16.BOOT)
    assert (answer["status"], answer["interval"]) == (registration.value, 60)
    assert engine.say(station, "StatusNotification", v16.status("Available"))[2] == "SecurityError"
    known = refreshed(station)
    assert known.accepted_at is None
    assert known.vendor == "Amber"


def test_pending_becomes_accepted_with_the_next_boot_after_the_operator_says_so(network: Network, engine: Engine) -> None:
    station = network.station(registration="Pending")
    assert engine.say(station, "BootNotification", v16.BOOT)["status"] == "Pending"
    registry.set_registration(station=station, registration="Accepted")
    assert engine.say(station, "Heartbeat", {})[2] == "SecurityError"
    assert engine.say(station, "BootNotification", v16.BOOT)["status"] == "Accepted"
    assert "currentTime" in engine.say(station, "Heartbeat", {})


def test_an_accepted_station_that_comes_back_without_a_boot_is_heard(network: Network) -> None:
    station = network.station()
    network.token("CARD")
    Engine().say(station, "BootNotification", v16.BOOT)
    another_process = Engine()
    assert "transactionId" in another_process.say(station, "StartTransaction", v16.start())


def test_within_one_batch_a_boot_opens_the_way_for_what_follows_it(network: Network, engine: Engine) -> None:
    station = network.station()
    before, boot, after = engine.round(
        engine.inbound(station, "Heartbeat", {}),
        engine.inbound(station, "BootNotification", v16.BOOT),
        engine.inbound(station, "Heartbeat", {}),
    )
    assert [frame[0] for frame in (before, boot, after) if frame] == [4, 3, 3]


def test_every_copy_of_a_boot_is_answered(network: Network, engine: Engine) -> None:
    """Metron sends it with the same message id every ten seconds (OCPP.Core#31)."""
    station = network.station()
    copies = [engine.inbound(station, "BootNotification", v16.BOOT) for _ in range(3)]
    for copy in copies:
        copy.call = copies[0].call
    assert [frame[2]["status"] for frame in engine.round(*copies) if frame] == ["Accepted"] * 3


def test_a_boot_ends_no_transaction(network: Network, engine: Engine) -> None:
    """Some stations carry a transaction over a reboot, and send its stop later."""
    station = network.station(accepted=True)
    network.token("CARD")
    transaction = engine.say(station, "StartTransaction", v16.start())["transactionId"]
    engine.say(station, "BootNotification", v16.BOOT)
    engine.say(station, "StopTransaction", v16.stop(transaction))
    (charged,) = network.transactions(station)
    assert (charged.status, charged.energy_wh, charged.doubt) == ("ended", 4000, "")


def test_what_is_missing_in_a_boot_is_made_up_and_what_is_too_long_is_cut(network: Network, engine: Engine) -> None:
    station = network.station()
    answer = engine.say(station, "BootNotification", {"chargePointModel": "M" * 30, "imsi": None})
    assert answer["status"] == "Accepted"
    known = refreshed(station)
    assert (known.vendor, known.model, known.imsi) == ("unknown", "M" * 20, "")
    assert network.findings(station) == ["mended_maxLength", "mended_required", "mended_type"]


def test_a_strict_station_is_refused_what_breaks_the_schema(network: Network, engine: Engine) -> None:
    station = network.station(strict=True)
    assert engine.say(station, "BootNotification", v16.BOOT | {"imsi": None})[2] == "TypeConstraintViolation"
    assert engine.say(station, "BootNotification", v16.BOOT | {"extra": 1})[2] == "FormationViolation"
    assert engine.say(station, "BootNotification", {"chargePointModel": "M"})[2] == "OccurenceConstraintViolation"
    assert engine.say(station, "BootNotification", v16.BOOT)["status"] == "Accepted"
    assert network.finding(station, "payload_invalid").count == 3


def test_a_strict_station_is_refused_a_transaction_message_too(network: Network, engine: Engine) -> None:
    station = network.station(strict=True, accepted=True)
    assert engine.say(station, "StopTransaction", v16.stop(1, meter="5000"))[2] == "TypeConstraintViolation"
    assert (network.repairs(station), network.transactions(station)) == ([], [])


def test_the_time_that_is_told_is_now(network: Network, engine: Engine) -> None:
    station = network.station(accepted=True)
    inbound = engine.inbound(station, "Heartbeat", {})
    (frame,) = engine.round(inbound)
    assert frame is not None
    told = inbound.received_at.fromisoformat(frame[2]["currentTime"])
    assert abs(told - inbound.received_at) < timedelta(minutes=1)
