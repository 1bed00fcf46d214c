"""What a meter signed on the session's page, its files, and the keys of the meters on the charger's page."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from accounts.models import AuditEntry
from billing.models import MeterKey
from billing.signedmeter import Verdict, check, read, read_key
from stations.models import Transaction
from tests.billing.meters import Meter
from tests.dashboard.rows import finished, plug
from tests.dashboard.signedrows import keep, signed
from tests.network import Network


@pytest.fixture
def done(amber: Network) -> Transaction:
    return finished(plug(amber))


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode().replace("\u202f", " ")


def test_a_session_says_whether_its_signature_is_right_and_by_whose_word(ada: Client, done: Transaction) -> None:
    signed(done)
    html = page(ada, f"/transactions/{done.pk}/")
    for words in ("Signature verified", "Signed energy", "7.50", "the charger itself sent first", "8.500 kWh", "synchronised"):
        assert words in html, words


def test_a_session_without_signed_readings_says_nothing_of_them(ada: Client, done: Transaction) -> None:
    assert "What the meter signed" not in page(ada, f"/transactions/{done.pk}/")
    for form in ("xml", "txt"):
        assert ada.get(f"/transactions/{done.pk}/signed.{form}").status_code == 404


def test_what_is_not_checked_yet_says_so(ada: Client, done: Transaction) -> None:
    keep(done, Meter().end())
    assert "Signature not checked yet" in page(ada, f"/transactions/{done.pk}/")
    assert ada.get(f"/api/v1/transactions/{done.pk}/").json()["signed"] is None


def test_the_file_is_what_transparency_software_opens(ada: Client, done: Transaction) -> None:
    """As SAFE e.V. describes the format; what is in it verifies with the key in it."""
    meter = Meter()
    signed(done, meter)
    answer = ada.get(f"/transactions/{done.pk}/signed.xml")
    assert answer["Content-Type"] == "application/xml"
    assert answer["Content-Disposition"] == f'attachment; filename="session-{done.pk}-signed.xml"'
    root = ET.fromstring(answer.content)  # noqa: S314  (our own)
    assert (root.tag, len(root)) == ("values", 2)
    for value, context in zip(root, ("Transaction.Begin", "Transaction.End"), strict=True):
        assert (value.tag, value.attrib) == ("value", {"transactionId": str(done.pk), "context": context})
        data, key = value.find("signedData"), value.find("publicKey")
        assert data is not None
        assert key is not None
        assert data.text
        assert key.text
        assert data.attrib == {"format": "OCMF", "encoding": "plain"}
        assert key.attrib == {"encoding": "hex"}
        assert data.text.startswith("OCMF|")
        assert check(read(data.text), read_key(key.text)) == (Verdict.VERIFIED, "")


def test_odd_characters_survive_the_file(ada: Client, done: Transaction) -> None:
    meter = Meter()
    payload = meter.payload(TT="a < b & c > d \u00fc \U0001f50c").replace("{", "{\r\n\t", 1)
    keep(done, meter.sign(payload))
    root = ET.fromstring(ada.get(f"/transactions/{done.pk}/signed.xml").content)  # noqa: S314  (our own)
    text = root.findtext("value/signedData")
    assert text
    assert check(read(text), read_key(meter.pem)) == (Verdict.VERIFIED, "")
    keep(done, "\x01\x02 no OCMF")
    assert len(ET.fromstring(ada.get(f"/transactions/{done.pk}/signed.xml").content)) == 2  # noqa: S314


def test_a_key_is_registered_vouched_for_and_retired_with_a_trace(ada: Client, ben: Client, done: Transaction) -> None:
    meter = Meter()
    station = done.station
    path = f"/stations/{station.identity}/"
    keep(done, meter.end())
    assert "No key is known" in page(ada, f"{path}?tab=security")
    wrong = ada.post(f"{path}meter-keys/", {"public_key": "rubbish"})
    assert wrong.status_code == 422
    assert "This is no public key" in wrong.content.decode()
    evse = done.evse
    assert evse is not None
    form = {"public_key": meter.pem, "evse": evse.pk, "meter_serial": "SN-1", "note": "by the label"}
    assert ben.post(f"{path}meter-keys/", form).status_code == 403
    assert ada.post(f"{path}meter-keys/", form).status_code == 302
    html = page(ada, f"{path}?tab=security")
    for words in ("Registered by", "SN-1", "by the label", "secp256r1", "Trusted"):
        assert words in html, words
    assert "Register a key" not in page(ben, f"{path}?tab=security")
    with scopes_disabled():
        key = MeterKey.objects.get(station=station)
    assert ada.post(f"{path}meter-keys/{key.pk}/", {"do": "retire"}).status_code == 302
    assert "Retired" in page(ada, f"{path}?tab=security")
    assert ada.post(f"{path}meter-keys/{key.pk}/", {"do": "trust"}).status_code == 302
    assert "meter-keys-" in ada.get(f"{path}meter-keys/export/")["Content-Disposition"]
    with scopes_disabled():
        told = AuditEntry.objects.filter(operator=station.operator, action__startswith="meter_key").order_by("id")
        assert [one.action for one in told] == ["meter_key.registered", "meter_key.retired", "meter_key.trusted"]


def test_the_keys_cost_the_same_for_one_and_for_many(ada: Client, done: Transaction, django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        form = {"public_key": Meter().pem, "meter_serial": f"SN-{number}"}
        ada.post(f"/stations/{done.station.identity}/meter-keys/", form)
    with django_assert_max_num_queries(24):
        page(ada, f"/stations/{done.station.identity}/?tab=security")


def test_nobody_of_another_network_sees_any_of_it(cleo: Client, done: Transaction) -> None:
    key = signed(done)
    path = f"/stations/{done.station.identity}/meter-keys/"
    for address in (f"/transactions/{done.pk}/signed.xml", f"/transactions/{done.pk}/signed.txt", f"{path}export/"):
        assert cleo.get(address).status_code == 404
    for address in (path, f"{path}{key.pk}/"):
        assert cleo.post(address, {"do": "retire", "public_key": Meter().pem}).status_code == 404
