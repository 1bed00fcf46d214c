"""Who sees what of the drivers' pages, over all addresses there are: a new one without an entry here fails."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from csms.driver.urls import urlpatterns
from stations.models import Connector
from tests.dashboard.conftest import browser_of
from tests.dashboard.rows import bill, finished, issued, plug, session
from tests.dashboard.signedrows import signed
from tests.dashboard.test_tenants import mine
from tests.driver.dee import driver_of, token_of
from tests.network import Network

#: Everybody's: a plug says nothing of persons, a door has nothing behind it.
PUBLIC = {"plugs", "plug", "plug_mistyped", "driver_login", "driver_signup"}
#: A driver's, who see only what is theirs.
OWN = {"driver", "driver_account", "driver_password", "driver_delete", "driver_export"}
#: What names a session or a receipt: another's is not there.
NAMED = {
    *("driver_session", "driver_stop", "driver_receipt", "driver_receipt_pdf", "driver_receipt_mail"),
    *("driver_signed", "driver_signed_text"),
}
BUTTONS = {"plug_start", "driver_stop", "driver_logout", "driver_receipt_mail"}
#: For whoever has the link: `tests/driver/test_receipts.py`.
LINKS = {"receipt_link", "receipt_link_pdf"}

World = dict[str, list[Any]]


@pytest.fixture
def world(amber: Network, dee: User, free: Connector) -> World:
    done = finished(plug(amber), id_token=token_of(dee), id_tag="DEES-CARD")
    signed(done)
    running = session(plug(amber), id_token=token_of(dee), id_tag="DEES-CARD")
    here = [free.evse.station.identity, free.evse.number]
    record = bill(done, amber.tariff(is_default=False))
    issued(record)
    return {
        **{name: [record.pk] for name in ("driver_receipt", "driver_receipt_pdf", "driver_receipt_mail")},
        "plugs": here[:1],
        "plug": here,
        "plug_start": here,
        "plug_mistyped": [f"{here[0]}/1/"],
        "driver_session": [running.pk],
        **{name: [done.pk] for name in ("driver_signed", "driver_signed_text")},
        "driver_stop": [running.pk],
    }


def ask(client: Client, name: str, world: World) -> Any:
    path = reverse(name, args=world.get(name, []))
    return client.post(path, {"once": "0"}) if name in BUTTONS else client.get(path)


def test_every_address_has_an_entry() -> None:
    assert {str(pattern.name) for pattern in urlpatterns} == PUBLIC | OWN | NAMED | BUTTONS | LINKS


def test_dee_may_open_all_of_it(phone: Client, world: World) -> None:
    for name in (OWN | NAMED | {"plug", "plugs"}) - BUTTONS:
        assert ask(phone, name, world).status_code == 200, name


def test_nobody_is_sent_to_sign_in(client: Client, amber: Network, world: World) -> None:
    before = mine(amber)
    for name in OWN | NAMED | {"plug_start"}:
        assert ask(client, name, world)["Location"].startswith("/driver/login/?next="), name
    for name in PUBLIC:
        assert ask(client, name, world).status_code == (302 if name == "plug_mistyped" else 200), name
    assert mine(amber) == before


@pytest.mark.parametrize("role", ["owner", "viewer"])
def test_staff_are_sent_to_their_own_pages(amber: Network, world: World, role: str) -> None:
    staff = browser_of(amber, role, role=role)
    before = mine(amber)
    for name in OWN | NAMED:
        assert ask(staff, name, world)["Location"] == "/", name
    ask(staff, "plug_start", world)
    assert mine(amber) == before


@pytest.mark.parametrize("of", ["the same network", "another network"])
def test_another_driver_finds_nothing_of_dees(amber: Network, cobalt: Network, world: World, dee: User, of: str) -> None:
    other = Client()
    other.force_login(driver_of(amber if of == "the same network" else cobalt, "dan"))
    before = mine(amber)
    for name in NAMED:
        assert ask(other, name, world).status_code == 404, name
    for name in OWN | PUBLIC:
        answer = ask(other, name, world)
        html = b"".join(answer) if answer.streaming and not answer.is_async else getattr(answer, "content", b"")
        assert [word for word in ("DEES-CARD", dee.email, token_of(dee).value) if word.encode() in html] == [], name
    assert mine(amber) == before


def test_a_driver_may_open_none_of_the_operators_pages(phone: Client, world: World) -> None:
    for name in ("wall", "stations", "sessions", "id_tags", "messages", "labels"):
        answer = phone.get(reverse(name))
        assert answer.status_code == 403, name
        assert 'href="/driver/"' in answer.content.decode()
