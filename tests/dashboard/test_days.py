"""Days that somebody chose in the filters of a list."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from stations.models import SecurityEvent
from tests.network import Network


@pytest.mark.parametrize("page", ["transactions", "security", "reservations", "logs", "audit"])
def test_the_first_and_the_last_day_there_are_can_be_chosen(ada: Client, page: str) -> None:
    assert ada.get(f"/{page}/?since=0001-01-01&until=9999-12-31").status_code == 200


def test_both_days_are_included(ada: Client, amber: Network) -> None:
    noon = timezone.localtime().replace(hour=12, minute=0)
    station = amber.station()
    with scopes_disabled():
        for days in range(4):
            at = noon - timedelta(days=days)
            SecurityEvent.objects.create(operator=amber.operator, station=station, type=f"Day{days}", at=at, received_at=noon)
    since, until = ((noon - timedelta(days=days)).date() for days in (2, 1))
    html = ada.get(f"/security/?since={since}&until={until}").content.decode()
    assert [days for days in range(4) if f"Day{days}" in html] == [1, 2]
