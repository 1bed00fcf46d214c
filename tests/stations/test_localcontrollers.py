"""Local controllers: which stations go dark together, told as one cause, on every way in."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone
from django_scopes import scope

from accounts.models import AuditEntry
from csms.dashboard import worklist
from stations import problems
from stations.models import Station
from stations.services import localcontrollers
from tests.network import Network
from tests.stations.runs import heard

HOURS = timedelta(hours=2)


def behind(network: Network, controller: Station, *stations: Station) -> None:
    with scope(operator=network.operator):
        for one in stations:
            localcontrollers.set_controller(station=one, controller=controller)


def reasons(network: Network) -> dict[str, str]:
    """The wall's offline tasks: who, and why."""
    with scope(operator=network.operator):
        found = worklist.work(worklist.Rights(), timezone.now())
    return {task.name: task.reason for task in found.tasks if task.slug == "offline"}


def test_the_outage_of_a_local_controller_is_one_cause(network: Network) -> None:
    controller, first, second, other = (network.station(accepted=True) for _ in range(4))
    heard(controller, first, second, other, ago=HOURS)
    assert len(reasons(network)) == 4
    behind(network, controller, first, second)
    told = reasons(network)
    assert set(told) == {controller.identity, other.identity}
    assert told[controller.identity] == "This local controller is offline, and with it the 2 chargers behind it."
    # It is back, and one behind it is not: that one has a cause of its own.
    heard(controller, first)
    assert set(reasons(network)) == {second.identity, other.identity}


def test_one_that_never_connected_as_itself_is_no_cause(network: Network) -> None:
    controller, first = network.station(), network.station()
    heard(first, ago=HOURS)
    behind(network, controller, first)
    assert set(reasons(network)) == {first.identity}


def test_the_work_list_costs_the_same_with_controllers(network: Network, django_assert_num_queries: Any) -> None:
    controller, first = network.station(), network.station()
    behind(network, controller, first)
    with scope(operator=network.operator), django_assert_num_queries(1):
        list(problems.offline(timezone.now()))


def test_what_cannot_be_behind_each_other_is_refused(network: Network) -> None:
    controller, first, second = (network.station() for _ in range(3))
    stranger = Network().station()
    behind(network, controller, first)
    with scope(operator=network.operator):
        for station, wanted, said in (
            (second, second, "not behind itself"),
            (second, first, "behind a local controller itself"),
            (controller, second, "take the chargers from it first"),
            (second, stranger, "no such charger"),
        ):
            with pytest.raises(ValidationError, match=said):
                localcontrollers.set_controller(station=station, controller=wanted)
        localcontrollers.set_controller(station=first, controller=None)
        entry = AuditEntry.objects.filter(object_id=str(first.pk)).latest("id")
        assert (entry.before, entry.after) == ({"controller": controller.identity}, {"controller": ""})


def test_it_is_said_by_the_shell(network: Network, capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    controller, first = network.station(), network.station()
    call_command("station", "behind", first.identity, controller.identity)
    assert f"behind {controller.identity}" in capsys.readouterr().out
    first.refresh_from_db()
    assert first.controller_id == controller.pk
    call_command("station", "behind", first.identity)
    first.refresh_from_db()
    assert first.controller_id is None
    call_command("station", "key", first.identity)
    assert "is not known" in capsys.readouterr().out
