"""Asked at once by several programs with one Idempotency-Key: one command, and one of them is told that it is new."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connection
from django_scopes import scope

from accounts import services
from stations.models import Command
from tests.api.conftest import KeyClient
from tests.network import Network

TOGETHER = 6


def test_simultaneous_requests_with_one_key_are_one_command(network: Network) -> None:
    station = network.station(accepted=True)
    _, key = services.create_api_key(user=network.user())
    start = Barrier(TOGETHER)
    path = f"/api/v1/stations/{station.identity}/commands/"

    def ask(word: str) -> tuple[int, Any]:
        client = KeyClient(key)
        client.get("/api/v1/tariffs/")  # the connection of this thread is open
        start.wait(30)
        try:
            answer = client.post(path, {"command": "clear_cache"}, "application/json", headers={"Idempotency-Key": word})
            return answer.status_code, answer.json()["id"]
        finally:
            connection.close()

    with ThreadPoolExecutor(TOGETHER) as threads:
        for word in ("one", "two", "three", "four", "five"):
            answers = list(threads.map(ask, [word] * TOGETHER))
            assert sorted(status for status, _ in answers) == [200] * (TOGETHER - 1) + [201]
            assert len({made for _, made in answers}) == 1
    with scope(operator=network.operator):
        assert Command.objects.filter(station=station).count() == 5
