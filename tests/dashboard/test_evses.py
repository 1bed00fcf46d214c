"""The plugs of a charger in full, on its page."""

from decimal import Decimal

from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts.models import User
from csms.dashboard import fragments
from csms.dashboard.worklist import Rights
from stations.domain.commands import ChangeAvailability, RemoteStop
from stations.models import Command, MeterSample, Transaction, Variable
from stations.services.commands import issue
from tests.dashboard.rows import finished, plug, session
from tests.network import Network


def page(browser: Client, transaction: Transaction) -> str:
    html = browser.get(reverse("station", args=[transaction.station.identity])).content.decode()
    return " ".join(html.replace("\u202f", " ").split())


def told(transaction: Transaction, extra: dict[str, str]) -> None:
    with scopes_disabled():
        MeterSample.objects.create(
            operator=transaction.operator,
            station=transaction.station,
            transaction=transaction,
            evse_number=1,
            at=timezone.now(),
            context="Sample.Periodic",
            power_w=Decimal(11040),
            extra=extra,
        )


def test_a_plug_shows_what_it_is_and_each_phase(ada: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"), soc_percent=Decimal(61))
    with scopes_disabled():
        for fields in (
            {"component": "Connector", "variable": "ConnectorType", "connector_number": 1, "value": "cCCS2"},
            {"component": "EVSE", "variable": "Power", "attribute": "MaxSet", "value": "50", "unit": "kW"},
        ):
            Variable.objects.create(operator=running.operator, station=running.station, evse_number=1, **fields)
    told(
        running, {"Current.Import/L1": "15.94 A", "Voltage/L1-N": "231 V", "Power.Active.Import/L2": "3.7 kW", "Voltage/L3": "odd"}
    )
    html = page(ada, running)
    assert "CCS 2 · at most 50.0 kW" in html
    assert '<meter min="0" max="32.0" value="15.9" aria-label="Current of L1"></meter>' in html
    assert "231 V" in html
    assert '<span>L2</span> <span class="number">3.7 kW</span>' in html
    assert "<span>L3</span>" not in html
    assert '<meter min="0" max="100" value="61" aria-label="Battery"></meter>' in html


def test_what_was_told_of_the_session_before_is_not_shown_as_now(ada: Client, amber: Network) -> None:
    connector = plug(amber, "Charging")
    before = finished(connector)
    told(before, {"Current.Import/L1": "16 A"})
    html = page(ada, session(connector))
    assert "Current of L1" not in html
    assert "type not told" in html


def test_a_session_is_stopped_from_its_card_once(ada: Client, ben: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    stop = reverse("transaction_stop", args=[running.pk])
    button = f'formaction="{stop}" name="once" value="card-0"'
    assert button in page(ada, running)
    assert stop not in page(ben, running)
    with scope(operator=amber.operator):
        parts = [part["html"] for part in fragments.of_station("en", running.station_id, Rights(command=True))]
        assert any(button in html for html in parts)
        issue(station=running.station, command=RemoteStop(running.ocpp_transaction_id))
    html = page(ada, running)
    assert stop not in html
    assert "asked to stop" in html


def test_what_is_wanted_out_of_service_stands_with_who_wants_it_and_how_far_it_is(ada: Client, amber: Network) -> None:
    station = amber.station(accepted=True)
    address = reverse("station", args=[station.identity])
    assert "In and out of service" not in ada.get(address).content.decode()
    with scope(operator=amber.operator):
        person = User.objects.filter(operator=amber.operator).latest("pk")
        row = issue(station=station, command=ChangeAvailability(False, 1), user=person, reason="The cable is broken")
        shown = " ".join(ada.get(address).content.decode().split())
        assert "wanted out of service" in shown
        assert f"by {person.name or person.email}" in shown
        assert "“The cable is broken”: not sent yet." in shown
        Command.objects.filter(pk=row.pk).update(status="accepted")
    assert "pending, until the charger confirms it" in ada.get(address).content.decode()
