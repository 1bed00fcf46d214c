"""What needs a person: of everything some, so that nothing hides the rest."""

from django.utils import timezone
from django_scopes import scope

from stations import problems
from stations.models import MonitorEvent, SecurityEvent, Station
from tests.dashboard.monitoredrows import made_event
from tests.network import Network


def alarm(station: Station, count: int) -> list[SecurityEvent]:
    now = timezone.now()
    return [
        SecurityEvent(
            operator=station.operator, station=station, type="TamperDetectionActivated", tech_info=str(number), critical=True,
            at=now, received_at=now,
        )
        for number in range(count)
    ]  # fmt: skip


def test_an_alert_whose_severity_nobody_told_is_somebodys_to_look_at(network: Network) -> None:
    """That of a notification that is built in: it has no monitor that could say."""
    station = network.station()
    with scope(operator=network.operator):
        made = [made_event(station, number, severity=level) for number, level in enumerate((None, 4, 3, None, 0, 9), start=1)]
        made_event(station, 7, severity=None, open=False)
        found = [event.event_id for event in problems.alerts()]
        assert found == [5, 3, 4, 1]
        MonitorEvent.objects.filter(pk=made[0].pk).delete()
        for number in range(10, 40):
            made_event(station, number, severity=2)
        assert len(problems.alerts()) == problems.EACH + 1


def test_a_charger_with_hundreds_of_alarms_hides_no_other(network: Network) -> None:
    quiet, loud = network.station(), network.station()
    with scope(operator=network.operator):
        SecurityEvent.objects.bulk_create(alarm(quiet, 1) + alarm(loud, problems.LOOKED_AT + 5))
        found = problems.alarming()
    assert [(event.station_id, count) for event, count in found] == [(loud.pk, problems.LOOKED_AT), (quiet.pk, 1)]
