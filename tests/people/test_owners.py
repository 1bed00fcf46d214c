"""Owners of one network who act at once."""

import threading

from django.core.exceptions import ValidationError
from django.db import connection

from accounts import people
from accounts.models import User
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
