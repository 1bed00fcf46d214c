"""The keys of meters: which is believed, who says so, and what happens when another one comes."""

import base64
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django_scopes import scope, scopes_disabled

from billing import meterkeys
from billing.models import MeterKey, SignedCheck
from billing.tasks import check_signed_readings
from stations.models import Evse, Station
from tests.billing.charging import STARTED, charge, codes, keys, latest, result, signed
from tests.billing.meters import Meter
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


def test_without_a_key_it_waits_for_one_and_is_checked_when_it_comes(
    network: Network, newer: Engine, station: Station, ada: Client
) -> None:
    meter = Meter()
    begin, end = signed(meter)
    charge(newer, station, begin | {"publicKey": ""}, end)
    check_signed_readings()
    assert result(station).verdict == "key_unknown"
    body = {"station": station.identity, "evse": 1, "public_key": meter.pem, "meter_serial": "sn-1", "note": "read by Ben"}
    answer = ada.post("/api/v1/meter-keys/", body, "application/json")
    assert (answer.status_code, answer.json()["source"]) == (201, "person"), answer.content
    check_signed_readings()
    assert result(station).verdict == "verified"
    html = ada.get(f"/transactions/{latest(station).pk}/").content.decode()
    assert "ada.signs" in html.split("Checked with the key", 1)[1][:200]


def test_the_first_key_is_pinned_and_another_is_told(network: Network, newer: Engine, station: Station, ada: Client) -> None:
    first, other = Meter(), Meter()
    charge(newer, station, *signed(first))
    check_signed_readings()
    charge(newer, station, *signed(other), tx="tx-2")
    check_signed_readings()
    assert (result(station).verdict, codes(network, station)) == ("other_key", ["signed_key_changed"] * 2)
    pinned, seen = keys(station)
    assert ((pinned.trusted, pinned.source), (seen.trusted, seen.source)) == ((True, "station"), (False, "station"))
    # Somebody compares it with the meter: it was exchanged.
    page = ada.get(f"/stations/{station.identity}/?tab=security").content.decode()
    assert "Not trusted" in page
    assert ada.post(f"/api/v1/meter-keys/{seen.pk}/trust/").status_code == 200
    assert ada.post(f"/api/v1/meter-keys/{seen.pk}/trust/").status_code == 409
    check_signed_readings()
    assert result(station).verdict == "verified"
    assert result(station, transaction__ocpp_transaction_id="tx-2").verdict == "verified"


def test_a_key_that_a_person_registered_goes_before_what_the_charger_sends(
    network: Network, newer: Engine, station: Station
) -> None:
    real, forged = Meter(), Meter()
    with scope(operator=network.operator):
        meterkeys.register(station=station, public_key=real.der.hex())
    charge(newer, station, *signed(forged))
    check_signed_readings()
    assert result(station).verdict == "other_key"
    charge(newer, station, *signed(real), tx="tx-2")
    check_signed_readings()
    assert result(station).verdict == "verified"


def test_a_key_of_another_meter_or_plug_does_not_count(network: Network, newer: Engine, station: Station) -> None:
    meter = Meter(serial="SN-9")
    with scope(operator=network.operator):
        meterkeys.register(station=station, public_key=meter.der.hex(), meter_serial="SN-8")
    begin, end = signed(meter)
    charge(newer, station, begin | {"publicKey": ""}, end)
    check_signed_readings()
    assert result(station).verdict == "key_unknown"
    with scopes_disabled():
        assert "SN-9" in SignedCheck.objects.filter(reading__station=station).earliest("reading_id").reason


def test_a_retired_key_still_holds_for_what_began_before(network: Network, newer: Engine, station: Station) -> None:
    meter = Meter()
    charge(newer, station, *signed(meter))
    check_signed_readings()
    (key,) = keys(station)
    with scope(operator=network.operator):
        assert meterkeys.retire(key=key)
        assert not meterkeys.retire(key=key)
        check_signed_readings()
        assert result(station).verdict == "verified"
        MeterKey.objects.filter(pk=key.pk).update(retired_at=STARTED - timedelta(days=1))
        meterkeys.check_anew(station)
    check_signed_readings()
    assert result(station).verdict == "other_key"


def test_what_is_no_key_is_refused_with_cause_and_remedy(network: Network, station: Station) -> None:
    elsewhere = network.station(accepted=True)
    with scope(operator=network.operator):
        evse = Evse.objects.create(station=elsewhere, number=1)
        for text, curve, said in (
            ("rubbish", "", "PEM"),
            (Meter().point.hex(), "", "bare point"),
            ("00" * 64, "secp256r1", "point"),
        ):
            with pytest.raises(ValidationError, match=said):
                meterkeys.register(station=station, public_key=text, curve=curve)
        with pytest.raises(ValidationError, match="another charger"):
            meterkeys.register(station=station, public_key=Meter().pem, evse=evse)


def test_the_same_key_again_is_one(network: Network, station: Station) -> None:
    meter = Meter()
    with scope(operator=network.operator):
        first = meterkeys.register(station=station, public_key=meter.pem)
        again = meterkeys.register(station=station, public_key=base64.b64encode(meter.der).decode(), note="again")
    assert first.pk == again.pk
    assert [key.note for key in keys(station)] == ["again"]


def test_a_charger_that_sends_new_keys_for_ever_fills_no_table(
    network: Network, newer: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meterkeys, "MOST", 2)
    for number in range(6):
        charge(newer, station, *signed(Meter()), tx=f"tx-{number}")
    check_signed_readings()
    assert len(keys(station)) == 4
