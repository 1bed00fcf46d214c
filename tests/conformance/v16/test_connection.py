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


later("1.6", "TC_083_CSMS", "Profile 1 to 2 is a move to TLS, which ends in a proxy before this system.")
later("1.6", "TC_086_CSMS", "TLS ends in a proxy before this system; its certificate and ciphers are tested with the proxy.")
later("1.6", "TC_087_CSMS", "Client certificates (security profile 3) are not checked yet.")
