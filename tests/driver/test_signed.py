"""What the meter signed of a driver's own session, and of nobody else's."""

from django.test import Client

from accounts.models import User
from stations.models import Connector
from tests.dashboard.rows import finished
from tests.dashboard.signedrows import signed
from tests.driver.conftest import said
from tests.driver.dee import token_of


def test_a_driver_sees_that_the_meter_signed_and_takes_the_file(phone: Client, dee: User, free: Connector) -> None:
    session = finished(free, id_token=token_of(dee))
    signed(session)
    html = said(phone.get(f"/driver/sessions/{session.pk}/"))
    assert "Signature verified" in html
    assert f"/driver/sessions/{session.pk}/signed.xml" in html
    for form, begins in (("xml", b"<?xml"), ("txt", b"OCMF|")):
        answer = phone.get(f"/driver/sessions/{session.pk}/signed.{form}")
        assert (answer.status_code, answer.content.startswith(begins)) == (200, True)


def test_nobody_elses_file_is_handed_out(phone: Client, free: Connector) -> None:
    session = finished(free, id_tag="SOMEBODY")
    signed(session)
    for form in ("xml", "txt"):
        assert phone.get(f"/driver/sessions/{session.pk}/signed.{form}").status_code == 404


def test_a_session_without_is_silent(phone: Client, dee: User, free: Connector) -> None:
    session = finished(free, id_token=token_of(dee))
    assert "signed.xml" not in said(phone.get(f"/driver/sessions/{session.pk}/"))
    assert phone.get(f"/driver/sessions/{session.pk}/signed.xml").status_code == 404
