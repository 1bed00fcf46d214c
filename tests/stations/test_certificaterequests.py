"""Stations' requests for certificates: kept, refused honestly, signed where somebody does, sent, and followed to their end."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.db import connection
from django_scopes import scopes_disabled

from stations import ports
from stations.domain import commands
from stations.domain.commands import BadCommand
from stations.models import CertificateRequest, InstalledCertificate, Station
from stations.services import certificaterequests, commandends
from tests.certificates import csr, signed, signer
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import ACCEPTED, PROTOCOLS, asked, connected, issue, now_of, sent


@pytest.fixture(params=PROTOCOLS)
def engine(committed: None, request: pytest.FixtureRequest) -> Engine:
    return Engine(request.param)


@pytest.fixture
def station(network: Network, engine: Engine) -> Station:
    return connected(network, engine, serial_number="SN-1")


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "sign", signer)


def of(station: Station) -> CertificateRequest:
    with scopes_disabled():
        return CertificateRequest.objects.get(station=station)


def sign() -> int:
    with scopes_disabled():
        return certificaterequests.sign(now=datetime.now(UTC))


def test_without_an_authority_a_request_is_kept_and_refused_honestly(engine: Engine, station: Station) -> None:
    reply = engine.say(station, "SignCertificate", {"csr": csr("SN-1")})
    assert reply["status"] == "Rejected"
    if engine.protocol == "ocpp2.0.1":
        assert reply["statusInfo"]["reasonCode"] == "NotEnabled"
    row = of(station)
    assert (row.status, row.common_name, row.key, row.problems) == ("rejected", "SN-1", "EC 256", [])
    assert "authority" in row.detail
    assert sign() == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nonsense", "cannot be read"),
        (lambda: csr("SN-1", rsa.generate_private_key(65537, 1024)), "too weak: RSA of 1024"),  # noqa: S505
        (lambda: csr("SN-1", ec.generate_private_key(ec.SECP192R1())), "too weak: EC of 192"),
    ],
)
def test_a_request_that_nobody_should_sign_says_why(
    network: Network, engine: Engine, station: Station, authority: None, text: Any, problem: str
) -> None:
    wanted = text if isinstance(text, str) else text()
    reply = engine.say(station, "SignCertificate", {"csr": wanted})
    assert reply["status"] == "Rejected"
    assert problem in of(station).detail
    assert network.findings(station) == ["certificate_request_invalid"]


def test_a_request_whose_signature_is_not_its_keys_is_refused(engine: Engine, station: Station, authority: None) -> None:
    lines = csr("SN-1").splitlines()
    lines[-2] = ("A" if lines[-2][-8] != "A" else "B").join([lines[-2][:-8], lines[-2][-7:]])
    engine.say(station, "SignCertificate", {"csr": "\n".join(lines)})
    assert "signature" in of(station).detail


def test_a_request_is_signed_sent_and_installed(engine: Engine, station: Station, authority: None) -> None:
    assert engine.say(station, "SignCertificate", {"csr": csr("SN-1")})["status"] == "Accepted"
    assert of(station).status == "received"
    assert sign() == 1
    assert sign() == 0
    errand = sent(engine, station)
    row = of(station)
    assert (row.status, errand.action) == ("sent", "CertificateSigned")
    assert errand.calls[0]["certificateChain"] == row.certificate
    engine.reply(station, errand, ACCEPTED)
    assert of(station).status == "installed"
    with scopes_disabled():
        own = InstalledCertificate.objects.get(station=station)
    assert (own.type, own.subject, own.issuer) == ("ChargingStationCertificate", "CN=SN-1", "CN=Amber CA")


def test_a_new_certificate_takes_the_place_of_the_old_one(engine: Engine, station: Station, authority: None) -> None:
    for _ in range(2):
        engine.say(station, "SignCertificate", {"csr": csr("SN-1")})
        sign()
        engine.reply(station, sent(engine, station), ACCEPTED)
    with scopes_disabled():
        rows = InstalledCertificate.objects.filter(station=station).order_by("id")
        assert [bool(row.removed_at) for row in rows] == [True, False]


def test_a_station_that_refuses_its_certificate_ends_its_request(engine: Engine, station: Station, authority: None) -> None:
    engine.say(station, "SignCertificate", {"csr": csr("SN-1")})
    sign()
    engine.reply(station, sent(engine, station), {"status": "Rejected"})
    assert of(station).status == "refused"


def test_a_certificate_that_was_never_sent_is_still_there(engine: Engine, station: Station, authority: None) -> None:
    engine.say(station, "SignCertificate", {"csr": csr("SN-1")})
    sign()
    with scopes_disabled():
        command = of(station).command
        assert command is not None
        assert commandends.cancel(command=command)
    row = of(station)
    assert (row.status, row.detail) == ("signed", "It did not reach the station.")


def test_a_request_for_another_name_is_not_signed(engine: Engine, station: Station, authority: None) -> None:
    engine.say(station, "SignCertificate", {"csr": csr("SOMEBODY-ELSE")})
    assert sign() == 0
    row = of(station)
    assert (row.status, row.detail) == ("rejected", "It is for SOMEBODY-ELSE, but the station says that it is SN-1.")


def test_an_authority_that_refuses_ends_it_and_one_that_fails_keeps_it_waiting(
    engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(request: CertificateRequest) -> str:
        raise ConnectionError("nobody there")

    def refuses(request: CertificateRequest) -> str:
        raise ports.NotSigned("Not before you have paid.")

    monkeypatch.setattr(ports, "sign", away)
    engine.say(station, "SignCertificate", {"csr": csr("SN-1")})
    assert sign() == 0
    assert of(station).status == "received"
    monkeypatch.setattr(ports, "sign", refuses)
    sign()
    assert (of(station).status, of(station).detail) == ("rejected", "Not before you have paid.")


def test_requests_that_fail_time_and_again_keep_no_other_from_being_signed(
    network: Network, engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = connected(network, engine, serial_number="SN-2")

    def fails_for_all_but_one(request: CertificateRequest) -> str:
        if request.station_id != other.pk:
            raise ConnectionError("nobody there")
        return signer(request)

    monkeypatch.setattr(ports, "sign", fails_for_all_but_one)
    monkeypatch.setattr(certificaterequests, "SIGNED", 1)
    engine.say(station, "SignCertificate", {"csr": csr("SN-1")})
    engine.say(other, "SignCertificate", {"csr": csr("SN-2")})
    with scopes_disabled():
        waiting = CertificateRequest.objects.filter(status="received").count()
    for _ in range(waiting):
        sign()
    assert of(other).status == "sent"
    for _ in range(waiting):
        sign()
    assert (of(station).status, of(station).detail) == ("received", certificaterequests.TRIED)
    # Not for ever: somebody has to look at it then.
    with scopes_disabled():
        CertificateRequest.objects.filter(station=station).update(last_at=datetime.now(UTC) - timedelta(days=8))
    for _ in range(waiting):
        sign()
    assert (of(station).status, of(station).detail) == ("rejected", certificaterequests.GIVEN_UP)
    with scopes_disabled():
        CertificateRequest.objects.filter(station=station).update(status="received", last_at=datetime.now(UTC))
    # Nothing is left for the tests that come, which count.
    monkeypatch.setattr(ports, "sign", signer)
    monkeypatch.setattr(certificaterequests, "SIGNED", 1000)
    assert sign() >= 1


def test_two_workers_do_not_have_the_same_request_signed_twice(
    engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    others: list[int] = []

    def another_worker() -> None:
        try:
            others.append(sign())
        finally:
            connection.close()

    def slow(request: CertificateRequest) -> str:
        asked.append(request.pk)
        if len(asked) == 1:
            with ThreadPoolExecutor(1) as workers:
                workers.submit(another_worker).result()
        return signer(request)

    monkeypatch.setattr(ports, "sign", slow)
    engine.say(station, "SignCertificate", {"csr": csr("SN-1")})
    sign()
    assert (asked.count(of(station).pk), len(others), of(station).status) == (1, 1, "sent")


def test_an_authority_that_signs_something_else_is_not_believed(
    engine: Engine, station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "sign", lambda request: signed(csr("SN-1")))
    engine.say(station, "SignCertificate", {"csr": csr("SN-1")})
    assert sign() == 0
    assert of(station).status == "rejected"
    assert "another key" in of(station).detail


def test_the_same_request_again_is_counted_and_answered_anew(engine: Engine, station: Station, authority: None) -> None:
    wanted = csr("SN-1")
    for _ in range(3):
        engine.say(station, "SignCertificate", {"csr": wanted})
    assert of(station).count == 3
    assert sign() == 1


def test_somebody_may_answer_a_request_by_hand(engine: Engine, station: Station) -> None:
    wanted = csr("SN-1")
    engine.say(station, "SignCertificate", {"csr": wanted})
    row = of(station)
    asked(engine, station, commands.SendSignedCertificate(signed(wanted), request=row.pk))
    assert of(station).status == "installed"


def test_a_certificate_without_its_requests_number_finds_the_request_by_its_key(engine: Engine, station: Station) -> None:
    wanted = csr("SN-1")
    engine.say(station, "SignCertificate", {"csr": wanted})
    asked(engine, station, commands.SendSignedCertificate(signed(wanted)), {"status": "Rejected"})
    assert of(station).status == "refused"


def test_a_certificate_for_another_key_or_of_the_past_is_not_sent(network: Network, engine: Engine, station: Station) -> None:
    engine.say(station, "SignCertificate", {"csr": csr("SN-1")})
    row = of(station)
    with pytest.raises(BadCommand, match="another key"):
        issue(station, commands.SendSignedCertificate(signed(csr("SN-1")), request=row.pk))
    with pytest.raises(BadCommand, match="ended on"):
        issue(station, commands.SendSignedCertificate(signed(row.csr, days=-1), request=row.pk))
    with pytest.raises(BadCommand, match="no certificate request"):
        issue(connected(network, engine), commands.SendSignedCertificate(signed(row.csr), request=row.pk))


def test_a_station_is_asked_for_a_new_request_and_the_command_waits_for_it(engine: Engine, station: Station) -> None:
    row = issue(station, commands.TriggerMessage("SignChargingStationCertificate"))
    errand = sent(engine, station)
    old = engine.protocol == "ocpp1.6"
    assert errand.action == ("ExtendedTriggerMessage" if old else "TriggerMessage")
    assert errand.calls[0] == {"requestedMessage": "SignChargePointCertificate" if old else "SignChargingStationCertificate"}
    engine.reply(station, errand, ACCEPTED)
    assert now_of(row).status == "accepted"
    engine.say(station, "SignCertificate", {"csr": csr("SN-1")})
    assert now_of(row).status == "confirmed"
