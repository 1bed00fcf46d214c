"""N: what a station keeps of a customer."""

from typing import Any

from stations import tasks
from tests.conformance.api import Api
from tests.conformance.cases import case
from tests.conformance.station import Station201, ago

CARD: dict[str, Any] = {"id_token": "CARD", "id_token_type": "ISO14443"}
TOKEN = {"idToken": "CARD", "type": "ISO14443"}
CERTIFICATE = {"hash_algorithm": "SHA256", "issuer_name_hash": "aa", "issuer_key_hash": "bb", "serial_number": "1f"}


def asked_for(station: Station201, api: Api, params: dict[str, Any], **call: Any) -> tuple[int, int]:
    """The command and its request's number, accepted."""
    asked = api.command(station, "customer_information", params)
    number = station.expect("CustomerInformation", **call)["requestId"]
    station.answer(status="Accepted")
    return asked, number


def tells(station: Station201, number: int, *pages: str) -> None:
    """Its pages, the last one first."""
    for sequence in reversed(range(len(pages))):
        more = sequence + 1 < len(pages)
        payload = {"requestId": number, "seqNo": sequence, "generatedAt": ago(0), "tbc": more, "data": pages[sequence]}
        assert station.call("NotifyCustomerInformation", payload) == {}


def told(api: Api, asked: int) -> Any:
    return api.get(f"customer-reports/{asked}/")


@case("2.0.1", "TC_N_27_CSMS", requirement="OCPP 2.0.1 N09")
def test_what_is_kept_is_told(station: Station201, api: Api) -> None:
    asked, number = asked_for(station, api, CARD, report=True, clear=False, idToken=TOKEN)
    api.becomes(asked, "accepted")
    tells(station, number, "Two sess", "ions")
    api.becomes(asked, "confirmed")
    assert (told(api, asked)["status"], told(api, asked)["text"], told(api, asked)["items"]) == ("complete", "Two sessions", 2)


@case("2.0.1", "TC_N_28_CSMS", requirement="OCPP 2.0.1 N09")
def test_nothing_is_kept(station: Station201, api: Api) -> None:
    asked, number = asked_for(station, api, CARD, report=True, clear=False)
    tells(station, number, "")
    api.becomes(asked, "confirmed")
    assert (told(api, asked)["status"], told(api, asked)["text"], told(api, asked)["items"]) == ("complete", "", 0)


@case("2.0.1", "TC_N_29_CSMS", requirement="OCPP 2.0.1 N09")
def test_the_station_will_not(station: Station201, api: Api) -> None:
    for status in ("Rejected", "Invalid"):
        asked = api.command(station, "customer_information", CARD)
        station.expect("CustomerInformation")
        station.answer(status=status)
        assert api.becomes(asked, "rejected")["detail"] == status
        assert (told(api, asked)["status"], told(api, asked)["detail"]) == ("refused", status)


@case("2.0.1", "TC_N_30_CSMS", requirement="OCPP 2.0.1 N10")
def test_what_is_kept_is_told_and_forgotten(station: Station201, api: Api) -> None:
    asked, number = asked_for(station, api, CARD | {"clear": True}, report=True, clear=True, idToken=TOKEN)
    tells(station, number, "One session")
    api.becomes(asked, "confirmed")
    assert (told(api, asked)["text"], told(api, asked)["about"]["clear"]) == ("One session", True)


@case("2.0.1", "TC_N_31_CSMS", requirement="OCPP 2.0.1 N10")
def test_nothing_was_kept_to_be_forgotten(station: Station201, api: Api) -> None:
    asked, number = asked_for(station, api, CARD | {"clear": True}, report=True, clear=True)
    tells(station, number, "")
    api.becomes(asked, "confirmed")
    assert (told(api, asked)["status"], told(api, asked)["items"]) == ("complete", 0)


@case("2.0.1", "TC_N_32_CSMS", requirement="OCPP 2.0.1 N10")
def test_a_customer_is_forgotten_without_a_report(station: Station201, api: Api) -> None:
    asked, _ = asked_for(station, api, CARD | {"report": False, "clear": True}, report=False, clear=True, idToken=TOKEN)
    api.becomes(asked, "confirmed")
    assert (told(api, asked)["status"], told(api, asked)["text"]) == ("complete", "")


@case("2.0.1", "TC_N_62_CSMS", requirement="OCPP 2.0.1 N10")
def test_a_customer_is_named_by_an_identifier(station: Station201, api: Api) -> None:
    params = {"customer_identifier": "DEE-7", "clear": True}
    asked, number = asked_for(station, api, params, report=True, clear=True, customerIdentifier="DEE-7")
    tells(station, number, "Dee")
    # Whom it was about is told with what came, and nowhere else.
    assert api.becomes(asked, "confirmed")["params"]["customer_identifier"] == "***"
    assert (told(api, asked)["about"]["customer_identifier"], told(api, asked)["text"]) == ("DEE-7", "Dee")


@case("2.0.1", "TC_N_63_CSMS", requirement="OCPP 2.0.1 N10")
def test_a_customer_is_named_by_a_certificate(station: Station201, api: Api) -> None:
    hashes = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "1f"}
    params = {"customer_certificate": CERTIFICATE, "clear": True}
    asked, number = asked_for(station, api, params, report=True, clear=True, customerCertificate=hashes)
    tells(station, number, "Dee")
    api.becomes(asked, "confirmed")
    assert (told(api, asked)["about"]["customer_certificate"], told(api, asked)["text"]) == (CERTIFICATE, "Dee")


@case("2.0.1", "TC_N_46_CSMS", requirement="OCPP 2.0.1 N10.FR.02")
def test_a_customer_who_is_forgotten_goes_from_the_local_list_too(station: Station201, api: Api) -> None:
    listed = api.command(station, "send_local_list", {"update": "full", "entries": [{"id_token": "CARD"}, {"id_token": "VAN"}]})
    station.expect("SendLocalList", updateType="Full")
    station.answer(status="Accepted")
    api.becomes(listed, "confirmed")
    asked, _ = asked_for(station, api, CARD | {"report": False, "clear": True}, report=False, clear=True, idToken=TOKEN)
    api.becomes(asked, "confirmed")
    tasks.bring_lists_in_step()
    update = station.expect("SendLocalList", updateType="Differential")
    assert update["localAuthorizationList"] == [{"idToken": TOKEN}]
    station.answer(status="Accepted")
    lists = api.until(lambda: [one for one in api.of(station, "local-lists/") if one["version"] == update["versionNumber"]])
    (found,) = lists
    assert [row["id_tag"] for row in api.rows(f"local-lists/{found['id']}/entries/")] == ["VAN"]
