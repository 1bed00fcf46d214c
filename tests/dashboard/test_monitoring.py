"""The tabs Monitoring and Display of a charger of OCPP 2.0.1: alerts, monitors, reports, customers."""

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from stations.domain.commands import GetMonitoringReport
from stations.models import Command, MonitorEvent, Report, Station
from tests.dashboard.monitoredrows import Monitored, made_event, monitored
from tests.dashboard.rows import seen
from tests.dashboard.test_wall import page as wall
from tests.network import Network


@pytest.fixture
def station(amber: Network) -> Station:
    station = amber.station(accepted=True)
    seen(station, protocol="ocpp2.0.1")
    return station


@pytest.fixture
def told(station: Station) -> Monitored:
    with scopes_disabled():
        return monitored(station)


def tab(client: Client, station: Station, name: str = "monitoring") -> str:
    answer = client.get(f"/stations/{station.identity}/?tab={name}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def asked(station: Station) -> list[tuple[str, dict[str, object]]]:
    """What was asked from the page: without what the rows came with."""
    with scopes_disabled():
        found = Command.objects.filter(station=station, status="queued").order_by("id")
        return [(row.kind, row.params) for row in found]


def press(client: Client, station: Station, **data: str) -> int:
    return client.post(f"/stations/{station.identity}/monitoring/?tab=monitoring", data).status_code


def test_before_it_told_anything_the_tab_says_so(ada: Client, station: Station) -> None:
    html = tab(ada, station)
    for sentence in (
        "Nothing is alerting at this charger.",
        "told of no monitors yet",
        "No report of this charger",
        "not told which",
    ):
        assert sentence in html


@pytest.mark.parametrize(
    ("error", "detail", "why", "then"),
    [
        ("", "Rejected", "Rejected", "It is asked again when it restarts."),
        ("InternalError", "busy", "InternalError: busy", "It is asked again when it restarts."),
        ("NotImplemented", "", "NotImplemented", "It is asked again when its firmware or hardware has changed."),
    ],
)
def test_why_the_monitors_are_not_read_stands_with_them(
    ada: Client, ben: Client, station: Station, error: str, detail: str, why: str, then: str
) -> None:
    with scopes_disabled():
        now, about = timezone.now(), GetMonitoringReport().params()
        whose = {"operator": station.operator, "station": station}
        asked_for = Command.objects.create(
            **whose, kind="get_monitoring_report", status="rejected", error_code=error, created_at=now, expires_at=now
        )
        times = {"created_at": now, "finished_at": now, "due_at": now}
        report = Report.objects.create(
            **whose, **times, command=asked_for, kind="monitors", request_id=1, about=about, status="refused", detail=detail
        )
    html = tab(ada, station)
    assert f"The charger would not tell its monitors:</strong> {why} <time" in html
    assert then in html
    assert "“Read the monitors” asks it now." in html
    assert "asks it now" not in tab(ben, station)
    with scopes_disabled():
        Report.objects.filter(pk=report.pk).update(status="complete")
    assert "would not tell its monitors" not in tab(ada, station)


def test_open_alerts_come_first_the_most_severe_at_the_top(ada: Client, station: Station, told: Monitored) -> None:
    with scopes_disabled():
        worse = made_event(station, 9, severity=0, place="x")
    html = tab(ada, station)
    assert html.index(f"alert-{worse.pk}") < html.index(f"alert-{told.alert.pk}") < html.index("What it noticed last")
    assert "System failure" in html
    assert "The fan stands still." in html
    assert "severity not told" in html


def test_more_alerts_than_are_shown_are_said_to_be_more(ada: Client, station: Station) -> None:
    with scopes_disabled():
        for number in range(51):
            made_event(station, number, severity=3, place=f"p{number}")
    html = tab(ada, station)
    assert html.count('id="alert-') == 50
    assert '<span class="muted">50+</span>' in html
    assert "Only the first are shown." in html


def test_monitors_stand_with_what_they_watch_and_what_is_built_in_cannot_be_cleared(
    ada: Client, station: Station, told: Monitored
) -> None:
    html = tab(ada, station)
    assert "rises above <code>70.5</code>" in html
    assert html.count('value="clear"') == 2
    for word in ("built in", "set by us", "All monitors", "5 Alert", "while somebody charges"):
        assert word in html


@pytest.mark.parametrize(
    ("data", "command"),
    [
        ({"do": "base", "base": "HardWiredOnly"}, ("set_monitoring_base", {"base": "HardWiredOnly"})),
        ({"do": "level", "level": "3"}, ("set_monitoring_level", {"severity": 3})),
        ({"do": "clear", "monitor": "2"}, ("clear_variable_monitoring", {"ids": [2]})),
        ({"do": "clear", "monitor": "2147483647"}, ("clear_variable_monitoring", {"ids": [2147483647]})),
        ({"do": "monitors"}, ("get_monitoring_report", {"criteria": [], "variables": []})),
        ({"do": "everything"}, ("get_base_report", {"report": "FullInventory"})),
        ({"do": "problems"}, ("get_report", {"criteria": ["Problem"], "variables": []})),
    ],
)
def test_the_buttons_ask_the_charger(
    ada: Client, station: Station, data: dict[str, str], command: tuple[str, dict[str, object]]
) -> None:
    assert press(ada, station, **data) == 302
    assert asked(station) == [command]


def test_a_monitor_is_set_by_a_form_that_offers_what_can_be_watched(ada: Client, station: Station, told: Monitored) -> None:
    with scopes_disabled():
        variable = station.variables.get(monitorable=True)
    assert f'<option value="{variable.pk}">EVSE #1 · Temperature (Celsius)</option>' in tab(ada, station)
    data = {
        "do": "set",
        "variable": str(variable.pk),
        "type": "UpperThreshold",
        "value": "70.5",
        "severity": "4",
        "transaction": "on",
    }
    assert press(ada, station, **data) == 302
    wanted = {"component": "EVSE", "variable": "Temperature", "evse": 1, "connector": 0, "type": "UpperThreshold", "value": 70.5}
    ((kind, params),) = asked(station)
    assert (kind, params) == ("set_variable_monitoring", {"monitors": [wanted | {"severity": 4, "transaction": True}]})


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"do": "set", "variable": "0", "type": "Delta", "value": "1", "severity": "4"}, "does not say that it can watch this"),
        ({"do": "base", "base": "Odd"}, "base must be one of"),
        ({"do": "level", "level": "x"}, "severity must be a whole number"),
        ({"do": "clear", "monitor": ""}, "ids must be a whole number"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_reason(ada: Client, station: Station, data: dict[str, str], why: str) -> None:
    answer = ada.post(f"/stations/{station.identity}/monitoring/?tab=monitoring", data)
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert asked(station) == []


def test_a_periodic_monitor_needs_an_interval(ada: Client, station: Station, told: Monitored) -> None:
    with scopes_disabled():
        variable = station.variables.get(monitorable=True)
    data = {"do": "set", "variable": str(variable.pk), "type": "Periodic", "value": "0", "severity": "4"}
    answer = ada.post(f"/stations/{station.identity}/monitoring/?tab=monitoring", data)
    assert (answer.status_code, "its interval in seconds" in answer.content.decode()) == (422, True)


def test_an_alert_is_closed_by_hand(ada: Client, station: Station, told: Monitored) -> None:
    assert ada.post(f"/stations/{station.identity}/monitoring/events/{told.alert.pk}/close/").status_code == 302
    with scopes_disabled():
        event = MonitorEvent.objects.get(pk=told.alert.pk)
    assert (event.open, event.closed_because) == (False, "person")
    assert "closed by hand" in tab(ada, station)


def test_severe_alerts_stand_on_the_wall(ada: Client, station: Station, told: Monitored) -> None:
    with scopes_disabled():
        mild = made_event(station, 9, severity=4, place="x")
    html = wall(ada)
    assert f"alert-{told.alert.pk}" in html
    assert "System failure: EVSE #1 Temperature is 91." in html
    assert "Severity not told: EVSE #1 Mode is 91." in html
    assert f"alert-{mild.pk}" not in html


def test_who_may_only_look_is_led_to_an_alert_and_not_told_to_close_it(
    ada: Client, ben: Client, station: Station, told: Monitored
) -> None:
    for browser, step in ((ada, "The alert, close it"), (ben, "Look at it")):
        task = browser.get("/").content.decode().split(f'id="task-alert-{told.alert.pk}"')[1].split("</li>")[0]
        assert step in task
        assert ("close it" in task) is (browser is ada)


def test_who_may_not_ask_sees_no_buttons(ben: Client, station: Station, told: Monitored) -> None:
    html = tab(ben, station)
    assert "rises above" in html
    assert "/monitoring/?tab" not in html
    assert "/close/" not in html


def test_a_charger_of_1_6_has_no_monitors(ada: Client, amber: Network) -> None:
    old = amber.station(accepted=True)
    seen(old, protocol="ocpp1.6")
    html = tab(ada, old)
    assert "Chargers of OCPP 1.6 have no monitors" in html
    assert "Read the monitors" not in html


# Customers


def test_what_came_of_a_customer_is_shown_to_those_who_may(ada: Client, ben: Client, station: Station, told: Monitored) -> None:
    html = tab(ada, station, "display")
    for word in ("04A1B2C3", "Two sessions.", "DEE-7", "It stands here for 30 days."):
        assert word in html
    html = tab(ben, station, "display")
    assert "owners, managers and support only" in html
    assert "04A1B2C3" not in html
    assert ben.get(f"/stations/{station.identity}/customers/export/").status_code == 403


@pytest.mark.parametrize(
    ("data", "params"),
    [
        ({"by": "id_token", "value": "04A1", "token_type": "eMAID", "do": "both"}, {"id_token": "04A1", "id_token_type": "eMAID"}),
        ({"by": "customer_identifier", "value": "DEE-7", "do": "report"}, {"customer_identifier": "DEE-7"}),
        (
            {"by": "customer_certificate", "value": "1f", "do": "clear", "issuer_name_hash": "a", "issuer_key_hash": "b"},
            {
                "customer_certificate": {
                    **{"hash_algorithm": "SHA256", "serial_number": "1f"},
                    **{"issuer_name_hash": "a", "issuer_key_hash": "b"},
                }
            },
        ),
    ],
)
def test_a_customer_is_asked_about(ada: Client, station: Station, data: dict[str, str], params: dict[str, object]) -> None:
    assert ada.post(f"/stations/{station.identity}/customers/?tab=display", data).status_code == 302
    ((kind, said),) = asked(station)
    wanted = {"report": data["do"] != "clear", "clear": data["do"] != "report"}
    assert (kind, {name: value for name, value in said.items() if value is not None}) == ("customer_information", wanted | params)


def test_a_certificate_without_its_hashes_is_refused(ada: Client, station: Station) -> None:
    data = {"by": "customer_certificate", "value": "1f", "do": "report"}
    answer = ada.post(f"/stations/{station.identity}/customers/?tab=display", data)
    assert answer.status_code == 422
    assert "issuer_name_hash must be a text" in answer.content.decode()


def test_what_came_is_deleted(ada: Client, station: Station, told: Monitored) -> None:
    assert ada.post(f"/stations/{station.identity}/customers/{told.customer.pk}/delete/").status_code == 302
    with scopes_disabled():
        assert not Report.objects.filter(pk=told.customer.pk).exists()
        assert Report.objects.filter(pk=told.report.pk).exists()
    assert ada.post(f"/stations/{station.identity}/customers/{told.report.pk}/delete/").status_code == 404
