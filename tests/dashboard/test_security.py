"""The security of chargers on the pages: events until somebody has seen them, certificates, requests, and firmware handed on."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from stations.models import CertificateRequest, Command, InstalledCertificate, SecurityEvent, Station
from tests.certificates import csr, root, signed
from tests.dashboard.rows import seen
from tests.dashboard.securityrows import Secured, secured
from tests.dashboard.test_worklist import keys
from tests.firmware import made_image
from tests.network import Network


@pytest.fixture
def station(amber: Network) -> Station:
    station = amber.station(accepted=True)
    seen(station, protocol="ocpp2.0.1")
    return station


@pytest.fixture
def rows(amber: Network, station: Station) -> Secured:
    image = made_image(amber.operator)
    with scopes_disabled():
        return secured(station, image)


def page(client: Client, path: str, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200
    return answer.content.decode()


def asked(station: Station) -> Command:
    with scopes_disabled():
        return Command.objects.filter(station=station).latest("pk")


def test_the_work_list_tells_of_each_charger_once_until_somebody_has_seen_its_events(
    ada: Client, amber: Network, station: Station, rows: Secured
) -> None:
    assert f"security-{station.pk}" in keys(amber)
    ada.post(f"/security/{rows.event.pk}/seen/")
    assert f"security-{station.pk}" in keys(amber)
    ada.post(f"/stations/{station.identity}/security/seen/", {"upto": str(rows.event.pk)})
    assert f"security-{station.pk}" not in keys(amber)


def test_the_work_list_tells_of_a_certificate_that_ends_once_for_all_chargers(
    amber: Network, station: Station, rows: Secured
) -> None:
    with scopes_disabled():
        (ending,) = InstalledCertificate.objects.filter(station=station, type="V2GRootCertificate")
        same = {"operator": amber.operator, "type": ending.type, "serial_key": ending.serial_key, "subject": ending.subject}
        InstalledCertificate.objects.create(station=amber.station(), not_after=ending.not_after, **same)
    assert len([key for key in keys(amber) if key.startswith("certificate-")]) == 2


def test_the_list_is_narrowed_and_the_address_holds_how(ada: Client, rows: Secured) -> None:
    assert "Somebody opened or tampered with it" in page(ada, "/security/")
    unseen = page(ada, "/security/", which="unseen")
    assert "ResetOrReboot" in unseen
    assert "MemoryExhaustion" not in unseen
    assert "No security event fits" in page(ada, "/security/", station="NOTHING")
    assert "the door &lt;open&gt;" in page(ada, "/security/", type="tamper")


def test_events_are_paged_by_time_and_key(ada: Client, amber: Network, station: Station) -> None:
    now = timezone.now()
    with scopes_disabled():
        SecurityEvent.objects.bulk_create(
            SecurityEvent(
                operator=amber.operator, station=station, type=f"T{n}", at=now - timedelta(seconds=n // 2), received_at=now
            )
            for n in range(120)
        )
    shown: list[str] = []
    path = "/security/"
    while path:
        html = page(ada, path)
        shown += [part.split('"')[0] for part in html.split('id="event-')[1:]]
        older = html.rsplit('<p class="further"><a href="', 1)[-1] if "Older" in html else ""
        path = "/security/" + older.split('"')[0].split("/security/")[-1].replace("&amp;", "&") if older else ""
    assert len(shown) == len(set(shown)) == 120
    assert ada.get("/security/?before=x").status_code == 400


def test_a_root_is_installed_as_text_or_as_a_file_and_nonsense_is_refused_with_why(ada: Client, station: Station) -> None:
    path, certificate = f"/stations/{station.identity}/certificates/install/", root()
    assert ada.post(path, {"type": "CSMSRootCertificate", "certificate": certificate}).status_code == 302
    assert asked(station).params["certificate"].strip() == certificate.strip()
    upload = SimpleUploadedFile("root.pem", certificate.encode())
    assert ada.post(path, {"type": "MORootCertificate", "file": upload}).status_code == 302
    assert asked(station).params["type"] == "MORootCertificate"
    wrong = {"": "Paste the certificate", "x": "must be in PEM", root(days=-3): "ended on"}
    for text, why in wrong.items():
        answer = ada.post(path, {"type": "CSMSRootCertificate", "certificate": text})
        assert answer.status_code == 422
        assert why in answer.content.decode()


def test_a_certificate_is_deleted_as_the_charger_names_it(ada: Client, station: Station, rows: Secured) -> None:
    ada.post(f"/stations/{station.identity}/certificates/{rows.certificate.pk}/delete/")
    command = asked(station)
    assert (command.kind, command.params["serial_number"]) == ("delete_certificate", rows.certificate.serial_number)


@pytest.mark.parametrize(
    ("do", "kind"), [("read", "get_installed_certificates"), ("renew", "trigger_message"), ("renew_v2g", "trigger_message")]
)
def test_the_charger_is_asked_by_one_button(ada: Client, station: Station, do: str, kind: str) -> None:
    ada.post(f"/stations/{station.identity}/certificates/", {"do": do})
    assert asked(station).kind == kind


def test_a_request_is_answered_by_hand(ada: Client, station: Station, rows: Secured) -> None:
    with scopes_disabled():
        CertificateRequest.objects.filter(pk=rows.request.pk).update(csr=(wanted := csr("SN-77")))
    path = f"/stations/{station.identity}/certificates/requests/{rows.request.pk}/"
    wrong = signed(csr("SN-77"))
    answer = ada.post(path, {"chain": wrong})
    html = answer.content.decode()
    assert (answer.status_code, "another key" in html) == (422, True)
    assert "<title>Error: " in html
    # What was pasted is not lost, and stands open beside what is wrong with it.
    assert f'<details id="answer-{rows.request.pk}" open>' in html
    assert wrong.splitlines()[1] in html
    assert f'id="chain-{rows.request.pk}_error"' in html
    assert ada.post(path, {"chain": signed(wanted)}).status_code == 302
    assert asked(station).params["request"] == rows.request.pk


def test_firmware_is_handed_on_and_taken_back(ada: Client, amber: Network, station: Station, rows: Secured) -> None:
    other = made_image(amber.operator, version="3.0")
    assert "Have it handed on" in page(ada, f"/stations/{station.identity}/", tab="firmware")
    path = f"/stations/{station.identity}/firmware/publish/"
    for image, why in (("", "Choose an image of the library."), ("1", "This image was withdrawn: choose another one.")):
        assert why in ada.post(path, {"firmware": image}, follow=True).content.decode()
    ada.post(path, {"firmware": other.pk})
    assert asked(station).params["firmware"] == other.pk
    ada.post(f"/stations/{station.identity}/firmware/published/{rows.publication.pk}/")
    assert asked(station).params == {"checksum": rows.publication.checksum}


def test_whoever_may_only_look_sees_no_buttons(ben: Client, station: Station, rows: Secured) -> None:
    html = page(ben, f"/stations/{station.identity}/", tab="security")
    assert "CN=CSMSRootCertificate" in html
    for word in ("Mark as seen", "Install a root", "Delete…", "Answer it by hand"):
        assert word not in html


def test_the_number_of_queries_of_the_tab_does_not_depend_on_its_rows(
    ada: Client, station: Station, rows: Secured, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(22):
        page(ada, f"/stations/{station.identity}/", tab="security")
