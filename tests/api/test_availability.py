"""What is wanted in and out of service, as programs read, say and give it up."""

from typing import Any

from django_scopes import scope

from stations.models import Command
from tests.api.conftest import Network, Person

JSON = "application/json"


def path(amber: Network) -> str:
    return f"/api/v1/stations/{amber.station.identity}/availability/"


def want(who: Person, amber: Network, **body: Any) -> Any:
    return who.client.post(path(amber), body, JSON)


def end(ada: Person, **change: Any) -> None:
    """What became of the newest command."""
    with scope(operator=ada.operator):
        newest = Command.objects.filter(kind="change_availability").latest("pk")
        Command.objects.filter(pk=newest.pk).update(**change)


def asked(ada: Person) -> list[dict[str, Any]]:
    with scope(operator=ada.operator):
        return list(Command.objects.filter(kind="change_availability").order_by("pk").values_list("params", flat=True))


def test_what_is_wanted_is_kept_and_how_far_it_is(ada: Person, amber: Network) -> None:
    assert ada.client.get(path(amber)).json() == {"station": amber.station.identity, "wishes": []}
    (wish,) = want(ada, amber, evse=1, operative=False, reason="The cable is torn").json()["wishes"]
    assert wish.pop("since").endswith("Z")
    number = wish.pop("command")
    assert wish == {
        **{"evse": 1, "connector": None, "operative": False, "progress": "waiting"},
        **{"requested_by": "ada@example.org", "reason": "The cable is torn"},
    }
    assert ada.client.get(f"/api/v1/commands/{number}/").json()["command"] == "change_availability"
    end(ada, status="accepted")
    assert ada.client.get(path(amber)).json()["wishes"][0]["progress"] == "pending"


def test_what_was_not_sent_yet_is_taken_back_and_what_was_wanted_before_counts_again(ada: Person, amber: Network) -> None:
    want(ada, amber, operative=False)
    end(ada, status="confirmed")
    want(ada, amber, operative=True)
    told = want(ada, amber, operative=None)
    assert told.status_code == 200
    (wish,) = told.json()["wishes"]
    assert (wish["evse"], wish["operative"]) == (0, False)
    assert len(asked(ada)) == 2


def test_what_is_out_of_service_is_put_back_into_it(ada: Person, amber: Network) -> None:
    want(ada, amber, evse=1, connector=1, operative=False)
    end(ada, status="confirmed")
    (wish,) = want(ada, amber, evse=1, connector=1, operative=None, reason="Mended").json()["wishes"]
    assert (wish["operative"], wish["progress"], wish["reason"]) == (True, "waiting", "Mended")
    end(ada, status="confirmed")
    assert ada.client.get(path(amber)).json()["wishes"] == []


def test_what_cannot_be_given_up_says_why(ada: Person, amber: Network) -> None:
    nothing = want(ada, amber, evse=1, operative=None)
    assert (nothing.status_code, "Nothing is wanted" in nothing.content.decode()) == (400, True)
    want(ada, amber, evse=1, operative=True)
    end(ada, status="rejected")
    told = want(ada, amber, evse=1, operative=None)
    assert (told.status_code, "in service already" in told.content.decode()) == (400, True)
    for body in ({}, {"operative": "off"}, {"operative": ""}, {"operative": True, "evse": -1}, {"operative": True, "plug": 1}):
        assert want(ada, amber, **body).status_code == 400, body


def test_a_key_that_is_used_again_asks_once(ada: Person, amber: Network) -> None:
    for _again in range(2):
        ada.client.post(path(amber), {"operative": False}, JSON, headers={"Idempotency-Key": "one"})
    assert len(asked(ada)) == 1


def test_who_may_only_look_reads_it_and_others_do_not_see_it(ada: Person, ben: Person, cleo: Person, amber: Network) -> None:
    assert ben.client.get(path(amber)).status_code == 200
    assert want(ben, amber, operative=False).status_code == 403
    assert cleo.client.get(path(amber)).status_code == 404
    assert want(cleo, amber, operative=False).status_code == 404
    assert asked(ada) == []
