"""Every action of both versions is handled in its direction, by whatever stands in the schemas of the `ocpp` package."""

from pathlib import Path
from typing import Any

import pytest
from rest_framework.exceptions import NotFound

from csms.api.raw import _translator
from csms.dashboard.anything import skeleton
from csms.ocpp import registry, schemas
from csms.ocpp.translator import Outgoing
from csms.simulator.v16.commands import CommandLink16
from csms.simulator.v201.commands import CommandLink201

WIRE = Path(__file__).parent.parent / "wire"
FOLDERS = {"ocpp1.6": "v16", "ocpp2.0.1": "v201"}
COUNTS = {"ocpp1.6": (39, 14, 26), "ocpp2.0.1": (64, 25, 40)}
LINKS: dict[str, Any] = {"ocpp1.6": CommandLink16, "ocpp2.0.1": CommandLink201}
#: What a station sends, of which the schemas say nothing. All else we send; a DataTransfer goes both ways.
FROM_STATIONS = {
    "ocpp1.6": {
        *("Authorize", "BootNotification", "DataTransfer", "DiagnosticsStatusNotification"),
        *("FirmwareStatusNotification", "Heartbeat", "LogStatusNotification", "MeterValues"),
        *("SecurityEventNotification", "SignCertificate", "SignedFirmwareStatusNotification", "StartTransaction"),
        *("StatusNotification", "StopTransaction"),
    },
    "ocpp2.0.1": {
        *("Authorize", "BootNotification", "ClearedChargingLimit", "DataTransfer", "FirmwareStatusNotification"),
        *("Get15118EVCertificate", "GetCertificateStatus", "Heartbeat", "LogStatusNotification", "MeterValues"),
        *("NotifyChargingLimit", "NotifyCustomerInformation", "NotifyDisplayMessages", "NotifyEVChargingNeeds"),
        *("NotifyEVChargingSchedule", "NotifyEvent", "NotifyMonitoringReport", "NotifyReport"),
        *("PublishFirmwareStatusNotification", "ReportChargingProfiles", "ReservationStatusUpdate"),
        *("SecurityEventNotification", "SignCertificate", "StatusNotification", "TransactionEvent"),
    },
}


def to_stations(protocol: str) -> set[str]:
    return (schemas.actions(protocol) - FROM_STATIONS[protocol]) | {"DataTransfer"}


def answered_by_simulator(protocol: str) -> set[str]:
    """The actions for which a simulated station has a handler."""
    members = (getattr(LINKS[protocol], name) for name in dir(LINKS[protocol]))
    return {str(action) for member in members if (action := getattr(member, "_on_action", None))}


def lacks(protocol: str) -> dict[str, list[str]]:
    """By action what it lacks."""
    found: dict[str, list[str]] = {}

    def need(action: str, there: bool, what: str) -> None:
        if not there:
            found.setdefault(f"{protocol} {action}", []).append(what)

    folder = WIRE / FOLDERS[protocol]
    for action in FROM_STATIONS[protocol]:
        need(action, action in registry.INCOMING[protocol], "a translator of what stations say")
        need(action, (folder / f"{action}.json").is_file(), "golden exchanges")
    answered = answered_by_simulator(protocol)
    for action in to_stations(protocol):
        translator = registry.BY_ACTION[protocol].get(action)
        need(action, translator is not None, "a translator of what we say")
        need(action, (folder / "out" / f"{action}.json").is_file(), "golden exchanges of ours")
        need(action, translator is not None and translator.parse is not Outgoing.parse, "the raw door")
        need(action, action in answered, "an answer of the simulated station")
    return found


@pytest.mark.parametrize("protocol", registry.PROTOCOLS)
def test_the_directions_are_those_of_all_actions(protocol: str) -> None:
    every, theirs, ours = COUNTS[protocol]
    assert FROM_STATIONS[protocol] <= schemas.actions(protocol)
    assert (len(schemas.actions(protocol)), len(FROM_STATIONS[protocol]), len(to_stations(protocol))) == (every, theirs, ours)
    assert all((WIRE.parent.parent / "csms/ocpp" / FOLDERS[protocol]).is_dir() for protocol in FOLDERS)


def test_every_action_is_handled_in_both_directions() -> None:
    found = {action: what for protocol in registry.PROTOCOLS for action, what in lacks(protocol).items()}
    assert found == {}


@pytest.mark.parametrize("protocol", registry.PROTOCOLS)
def test_the_raw_door_is_open_for_whatever_we_may_send_and_nothing_else(protocol: str) -> None:
    for action in schemas.actions(protocol):
        if action in to_stations(protocol):
            assert _translator(protocol, action).action == action
        else:
            with pytest.raises(NotFound, match="what a station of OCPP"):
                _translator(protocol, action)


@pytest.mark.parametrize("protocol", registry.PROTOCOLS)
def test_a_person_finds_a_skeleton_for_whatever_may_be_sent(protocol: str) -> None:
    for action in to_stations(protocol):
        filled = skeleton(protocol, action)
        validator = schemas.validator(protocol, action)
        assert all(error.kind.name in ("enum", "minLength", "minimum") for error in validator.iter_errors(filled)), action
