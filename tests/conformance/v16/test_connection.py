"""Who may connect: passwords, security profiles, sub-protocols."""

from tests.conformance.api import Api
from tests.conformance.cases import case, later
from tests.conformance.conftest import Dial
from tests.conformance.station import Station16

NEW = "another-password-20c"


@case("1.6", "TC_073_CSMS", requirement="OCPP 1.6 security whitepaper A01")
def test_another_password(station: Station16, api: Api) -> None:
    change = {"component": "SecurityCtrlr", "variable": "BasicAuthPassword", "value": NEW}
    asked = api.command(station, "set_variables", {"variables": [change]})
    station.expect("ChangeConfiguration", key="AuthorizationKey", value=NEW.encode().hex())
    station.answer(status="Accepted")
    done = api.becomes(asked, "confirmed")
    assert NEW not in str(done)
    assert station.turned_away() == 401
    station.dial(NEW).boot()
    assert api.station(station)["online"] is True


@case("1.6", "TC_085_CSMS", requirement="OCPP 1.6 security whitepaper A00")
def test_the_right_password_and_no_other(station: Station16, api: Api) -> None:
    station.boot()
    assert api.station(station)["online"] is True
    assert station.turned_away("not-the-password-at-all") == 401
    kept = api.until(lambda: api.of(station, "refusals/"))
    assert kept[0]["reason"] == "wrong_password"


@case("1.6", "TC_088_CSMS", requirement="OCPP-J 1.6")
def test_the_version_is_negotiated(dial: Dial, api: Api) -> None:
    station: Station16 = dial(accepted=True)
    station.dial(subprotocols=["ocpp1.2", "ocpp1.6", "ocpp1.5"])
    assert station.socket.subprotocol == "ocpp1.6"
    assert "currentTime" in station.call("Heartbeat")
    assert api.station(station)["protocol"] == "ocpp1.6"
    # None in common: no sub-protocol is named, and the socket is closed.
    station.dial(subprotocols=["ocpp1.5"])
    assert station.socket.subprotocol is None
    assert station.closed() == 1002
    assert api.until(lambda: api.of(station, "refusals/"))[0]["reason"] == "no_common_subprotocol"


@case("1.6", "TC_083_CSMS", requirement="OCPP 1.6 security whitepaper A05")
def test_a_higher_security_profile(station: Station16, api: Api, by_proxy: str) -> None:
    station.boot()
    change = {"component": "", "variable": "SecurityProfile", "value": "2"}
    asked = api.command(station, "set_variables", {"variables": [change]})
    station.expect("ChangeConfiguration", key="SecurityProfile", value="2")
    station.answer(status="Accepted")
    api.becomes(asked, "confirmed")
    reset = api.command(station, "reset", {"when": "idle"})
    station.expect("Reset", type="Soft")
    station.answer(status="Accepted")
    station.close()
    station.dial_by_tls(by_proxy).boot()
    api.becomes(reset, "confirmed")
    shown = api.until(lambda: (row := api.station(station))["highest_profile"] == 2 and row)
    assert shown["online"] is True
    # Whoever came by TLS does not come back without.
    assert station.turned_away() == 401
    assert api.until(lambda: api.of(station, "refusals/"))[0]["reason"] == "profile_lowered"


later("1.6", "TC_086_CSMS", "TLS ends in a proxy before this system; its certificate and ciphers are tested with the proxy.")
later("1.6", "TC_087_CSMS", "Client certificates (security profile 3) are not checked yet.")
