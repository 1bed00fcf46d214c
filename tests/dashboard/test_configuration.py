"""A charger's settings: reported beside wanted, drift, and the way from a wish to a command."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scope

from csms.ocpp.reading import read_all, sayable
from stations.domain.commands import BadCommand
from stations.models import Command, Station, Variable
from stations.services import configuration
from tests.network import Network


def setting(station: Station, name: str = "HeartbeatInterval", **fields: Any) -> Variable:
    with scope(operator=station.operator):
        return Variable.objects.create(
            operator=station.operator, station=station, variable=name, reported_at=timezone.now(), **{"value": "300"} | fields
        )


def page(browser: Client, station: Station, query: str = "") -> str:
    return browser.get(f"{reverse('station', args=[station.identity])}?tab=configuration{query}").content.decode()


def change(browser: Client, station: Station, **fields: Any) -> Any:
    return browser.post(reverse("change_settings", args=[station.identity]), fields)


def test_a_changed_setting_is_wanted_and_asked_for(ada: Client, amber: Network) -> None:
    station = amber.station()
    variable = setting(station, component="OCPPCommCtrlr", evse_number=1)
    assert change(ada, station, variable=variable.pk, value="600").status_code == 302
    variable.refresh_from_db()
    assert variable.wanted == "600"
    command = Command.objects.with_scopes_disabled().get(station=station)
    assert command.params == {
        "variables": [{"component": "OCPPCommCtrlr", "variable": "HeartbeatInterval", "value": "600", "evse": 1}]
    }
    html = page(ada, station)
    assert "is-drifting" in html
    assert "1 setting is not as wanted." in html
    assert "HeartbeatInterval" in page(ada, station, "&drift=1")
    assert change(ada, station, do="apply").status_code == 302
    assert Command.objects.with_scopes_disabled().filter(station=station).count() == 2
    change(ada, station, do="forget", variable=variable.pk)
    assert "is-drifting" not in page(ada, station)


def test_what_cannot_be_set_is_refused_with_the_reason(ada: Client, amber: Network) -> None:
    station = amber.station()
    fixed = setting(station, mutability="ReadOnly")
    secret = setting(station, "AuthorizationKey", value=None)
    choice = setting(station, "Mode", data_type="OptionList", values="Fast, Slow", value="Fast")
    for variable, why in ((fixed, "can only be read"), (secret, "is a secret"), (choice, "must be one of Fast, Slow")):
        answer = change(ada, station, variable=variable.pk, value="Odd")
        assert answer.status_code == 422
        assert why in answer.content.decode()
    with scope(operator=station.operator), pytest.raises(BadCommand, match="at most 1000"):
        configuration.want(variable=setting(station, "Long"), value="x" * 1001)
    assert not Command.objects.with_scopes_disabled().filter(station=station).exists()
    assert not Variable.objects.with_scopes_disabled().filter(station=station, wanted__isnull=False).exists()


def test_a_secret_is_never_shown(ada: Client, amber: Network) -> None:
    station = amber.station()
    setting(station, "BasicAuthPassword", value="hunter2-hunter2-hunter2")
    html = page(ada, station)
    assert "BasicAuthPassword" in html
    assert "hunter2" not in html


def test_settings_are_searched(ada: Client, amber: Network) -> None:
    station = amber.station()
    setting(station)
    setting(station, "MeterInterval", component="SampledDataCtrlr")
    assert "MeterInterval" in (found := page(ada, station, "&q=sampled+meter"))
    assert "HeartbeatInterval" not in found
    assert "No setting matches." in page(ada, station, "&q=nothing")


def test_a_setting_of_another_charger_cannot_be_changed(ada: Client, cleo: Client, amber: Network, cobalt: Network) -> None:
    station = amber.station()
    variable = setting(station)
    assert change(cleo, cobalt.station(), variable=variable.pk, value="1").status_code == 404
    assert change(ada, amber.station(), variable=variable.pk, value="1").status_code == 404
    assert change(ada, station, variable="x", value="1").status_code == 404


def test_each_version_reads_all_its_settings_in_its_way() -> None:
    assert [read_all(protocol).kind for protocol in ("ocpp1.6", "ocpp2.0.1", "")] == [
        "get_variables",
        "get_base_report",
        "get_variables",
    ]
    assert "get_base_report" not in sayable("ocpp1.6")
    assert sayable("ocpp1.6") < sayable("")
