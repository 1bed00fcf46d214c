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


PROXY = "TLS ends in a proxy before this system; its certificate and ciphers are tested with the proxy."
later("2.0.1", "TC_A_04_CSMS", PROXY)
later("2.0.1", "TC_A_06_CSMS", "TLS ends in a proxy, which speaks 1.2 and 1.3.")
later("2.0.1", "TC_A_07_CSMS", "Client certificates (security profile 3) are not checked yet.")
later("2.0.1", "TC_A_08_CSMS", "Client certificates (security profile 3) are not checked yet.")
later("2.0.1", "TC_A_19_CSMS", "Profile 1 to 2 is a move to TLS, which ends in a proxy before this system.")
