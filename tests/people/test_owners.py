"""Owners of one network who act at once."""

import threading

from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction

from accounts import people
from accounts.models import User
from stations.models import Station
from tests.network import Network


def test_two_owners_who_demote_each_other_at_once_leave_one(network: Network) -> None:
    both = [network.user("ada"), network.user("bea")]
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def demote(one: User) -> None:
        start.wait()
        try:
            people.change_person(person=one, role="viewer")
            outcomes.append("done")
        except ValidationError:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=demote, args=[one]) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "refused"]


def test_whoever_changes_people_holds_up_no_charger(network: Network) -> None:
    """What stations say is written with their operator's key, which a lock on the operator could keep waiting."""
    came: list[object] = []

    def station_says() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '3s'")
            came.append(network.station())
        except OperationalError as error:
            came.append(error)
        finally:
            connection.close()

    bea = network.user("bea")
    with transaction.atomic():
        people.invite(operator=network.operator, email="dora@example.org", role="viewer")
        people.change_person(person=bea, role="viewer", by=network.user("ada"))
        thread = threading.Thread(target=station_says)
        thread.start()
        thread.join()
    assert isinstance(came[0], Station), came
