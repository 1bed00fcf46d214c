"""A: who may connect, by which password, and in which version."""

from typing import Any

from tests.conformance.api import Api
from tests.conformance.cases import case, later
from tests.conformance.conftest import Dial
from tests.conformance.station import Station201, basic

NEW = "another-password-20c"


def refusal(station: Station201, api: Api) -> Any:
    """Why the station was turned away, as the operator reads it."""
    return api.until(lambda: api.of(station, "refusals/"))[0]["reason"]


@case("2.0.1", "TC_A_01_CSMS", requirement="OCPP 2.0.1 A00, B01")
def test_the_right_password(dial: Dial, api: Api) -> None:
    station: Station201 = dial()
    assert station.boot()["status"] == "Accepted"
    assert (api.station(station)["online"], api.station(station)["security_profile"]) == (True, 1)
    assert api.of(station, "connections/")[0]["protocol"] == "ocpp2.0.1"


@case("2.0.1", "TC_A_02_CSMS", requirement="OCPP 2.0.1 A00")
def test_a_user_that_is_not_the_station(station: Station201, api: Api) -> None:
    assert station.turned_away(headers=basic("SOMEBODY-ELSE")) == 401
    assert refusal(station, api) == "wrong_user"


@case("2.0.1", "TC_A_03_CSMS", requirement="OCPP 2.0.1 A00")
def test_a_wrong_password(station: Station201, api: Api) -> None:
    assert station.turned_away("not-the-password-at-all") == 401
    assert refusal(station, api) == "wrong_password"


def change(station: Station201, api: Api, status: str) -> int:
    """Another password is given, to which the station says this."""
    name = {"component": "SecurityCtrlr", "variable": "BasicAuthPassword"}
    asked = api.command(station, "set_variables", {"variables": [name | {"value": NEW}]})
    (data,) = station.expect("SetVariables")["setVariableData"]
    assert (data["component"], data["variable"], data["attributeValue"]) == (
        {"name": "SecurityCtrlr"},
        {"name": "BasicAuthPassword"},
        NEW,
    )
    result = {"component": data["component"], "variable": data["variable"], "attributeStatus": status}
    station.answer(setVariableResult=[result])
    return asked


@case("2.0.1", "TC_A_09_CSMS", requirement="OCPP 2.0.1 A01")
def test_another_password_is_accepted_and_the_old_one_void(station: Station201, api: Api) -> None:
    done = api.becomes(change(station, api, "Accepted"), "confirmed")
    assert NEW not in str(done)
    assert station.turned_away() == 401
    station.dial(NEW).boot()
    assert api.station(station)["online"] is True


@case("2.0.1", "TC_A_10_CSMS", requirement="OCPP 2.0.1 A01")
def test_another_password_is_rejected_and_the_old_one_stays(station: Station201, api: Api) -> None:
    api.becomes(change(station, api, "Rejected"), "rejected")
    assert station.turned_away(NEW) == 401
    station.dial().boot()
    assert api.station(station)["online"] is True


@case("2.0.1", "TC_B_58_CSMS", requirement="OCPP 2.0.1 Part 4")
def test_the_version_is_negotiated(station: Station201, api: Api) -> None:
    # By the station's preference, among those that are spoken here.
    station.dial(subprotocols=["ocpp0.1", "ocpp2.0.1", "ocpp1.6"])
    assert station.socket.subprotocol == "ocpp2.0.1"
    assert station.boot()["status"] == "Accepted"
    assert api.station(station)["protocol"] == "ocpp2.0.1"
    # None in common: no sub-protocol is named, and the socket is closed.
    station.dial(subprotocols=["ocpp0.1"])
    assert station.socket.subprotocol is None
    assert station.closed() == 1002
    assert refusal(station, api) == "no_common_subprotocol"


@case("2.0.1", "TC_A_19_CSMS", requirement="OCPP 2.0.1 A05")
def test_a_higher_security_profile(station: Station201, api: Api, by_proxy: str) -> None:
    station.boot()
    profile = {"slot": 1, "url": "wss://csms.example.com/ocpp", "security_profile": 2, "interface": "Wired0"}
    asked = api.command(station, "set_network_profile", profile)
    assert station.expect("SetNetworkProfile", configurationSlot=1)["connectionData"]["securityProfile"] == 2
    station.answer(status="Accepted")
    api.becomes(asked, "confirmed")
    name = {"component": "OCPPCommCtrlr", "variable": "NetworkConfigurationPriority"}
    asked = api.command(station, "set_variables", {"variables": [name | {"value": "1,0"}]})
    (data,) = station.expect("SetVariables")["setVariableData"]
    assert data["attributeValue"] == "1,0"
    result = {"component": data["component"], "variable": data["variable"], "attributeStatus": "RebootRequired"}
    station.answer(setVariableResult=[result])
    api.becomes(asked, "confirmed")
    reset = api.command(station, "reset", {"when": "idle"})
    station.aside["GetVariables"] = {
        "getVariableResult": [{"component": data["component"], "variable": data["variable"], "attributeStatus": "Rejected"}]
    }
    station.expect("Reset", type="OnIdle")
    station.answer(status="Accepted")
    station.close()
    station.dial_by_tls(by_proxy).boot("RemoteReset")
    api.becomes(reset, "confirmed")
    shown = api.until(lambda: (row := api.station(station))["highest_profile"] == 2 and row)
    assert shown["online"] is True
    # Whoever came by TLS does not come back without.
    assert station.turned_away() == 401
    assert refusal(station, api) == "profile_lowered"


PROXY = "TLS ends in a proxy before this system; its certificate and ciphers are tested with the proxy."
later("2.0.1", "TC_A_04_CSMS", PROXY)
later("2.0.1", "TC_A_06_CSMS", "TLS ends in a proxy, which speaks 1.2 and 1.3.")
later("2.0.1", "TC_A_07_CSMS", "Client certificates (security profile 3) are not checked yet.")
later("2.0.1", "TC_A_08_CSMS", "Client certificates (security profile 3) are not checked yet.")
