"""What needs a person: of everything some, so that nothing hides the rest."""

from django.utils import timezone
from django_scopes import scope

from stations import problems
from stations.models import SecurityEvent, Station
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


def test_a_charger_with_hundreds_of_alarms_hides_no_other(network: Network) -> None:
    quiet, loud = network.station(), network.station()
    with scope(operator=network.operator):
        SecurityEvent.objects.bulk_create(alarm(quiet, 1) + alarm(loud, problems.LOOKED_AT + 5))
        found = problems.alarming()
    assert [(event.station_id, count) for event, count in found] == [(loud.pk, problems.LOOKED_AT), (quiet.pk, 1)]
