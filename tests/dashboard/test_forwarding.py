"""The pages of forwarding: adding, how each charger does, trying it, removing it."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from csms.dashboard import forwarding as pages
from csms.dashboard.worklist import Rights, work
from csms.forwarding import selectors
from csms.forwarding.models import Forward, ForwardLink
from tests.dashboard.world import one_of_each
from tests.forwarding.backend import backend
from tests.network import Network

FIELDS = {
    "name": "Fleet of Harbour",
    "url": "wss://ocpp.example.com/ocpp?key=undisclosed",
    "identity": "HL-{identity}",
    "style": "ocpp",
    "which": "all",
    "from_station": "on",
    "never": "Heartbeat, StatusNotification",
}


def added(ada: Client, **fields: Any) -> Forward:
    answered = ada.post("/forwarding/add/", FIELDS | fields)
    assert answered.status_code == 302, answered.content.decode()
    with scopes_disabled():
        return Forward.objects.latest("pk")


def html(client: Client, path: str) -> str:
    answered = client.get(path)
    assert answered.status_code == 200
    return answered.content.decode()


def text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_nothing_is_forwarded_at_first_and_the_page_says_what_it_is_for(ada: Client, ben: Client) -> None:
    assert "Forward to a back end" in text(html(ada, "/forwarding/"))
    page = text(html(ben, "/forwarding/"))
    assert "no charger notices" in page
    assert "Forward to a back end" not in page


def test_it_is_added_changed_paused_resumed_and_removed(ada: Client, amber: Network) -> None:
    forward = added(ada, password="open-sesame-of-20-ch")
    assert (forward.never, forward.password) == (["Heartbeat", "StatusNotification"], "open-sesame-of-20-ch")
    path = f"/forwarding/{forward.pk}/"
    page = html(ada, path)
    assert "It is forwarded from now on." in page
    assert "undisclosed" not in page
    assert "Beginning" in page
    form = html(ada, f"{path}change/")
    assert "sesame" not in form
    assert "There is a password: leave the field empty to keep it." in form
    assert 'value="Heartbeat, StatusNotification"' in form
    ada.post(f"{path}change/", FIELDS | {"name": "The fleet"})
    with scopes_disabled():
        assert Forward.objects.get(pk=forward.pk).password == "open-sesame-of-20-ch"
    ada.post(f"{path}change/", FIELDS | {"no_password": "on"})
    with scopes_disabled():
        assert Forward.objects.get(pk=forward.pk).password == ""
    ada.post(f"{path}do/", {"do": "pause"})
    assert "What chargers say waits, and is forwarded when you resume." in html(ada, path)
    ada.post(f"{path}do/", {"do": "resume"})
    ada.post(f"{path}do/", {"do": "dance"})
    assert "Forwarding can be paused, resumed, tested, or removed." in html(ada, path)
    ada.post(f"{path}do/", {"do": "remove"})
    assert "Nothing is forwarded" in html(ada, "/forwarding/")


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(ada: Client) -> None:
    wrong = {"url": "https://example.com", "which": "chosen", "stations": "NOBODY", "only": "Heartbit"}
    answered = ada.post("/forwarding/add/", FIELDS | wrong)
    page = answered.content.decode()
    assert answered.status_code == 422
    assert 'id="id_url_error">The address must begin with wss' in page
    assert "There is no charger NOBODY in your network." in page
    assert "OCPP has no message Heartbit." in page
    assert "NOBODY</textarea>" in page


def test_a_test_says_what_is_in_the_way(ada: Client, amber: Network) -> None:
    station = amber.station()
    with backend(status=404) as them:
        forward = added(ada, url=them.url)
        path = f"/forwarding/{forward.pk}/"
        ada.post(f"{path}do/", {"do": "test"})
        assert "It answered 404: it does not know this identity" in html(ada, path)
        them.status = 0
        ada.post(f"{path}do/", {"do": "test"})
        assert f"It lets HL-{station.identity} in." in html(ada, path)


def test_each_charger_says_how_it_does_and_what_is_in_the_way(ada: Client, amber: Network) -> None:
    world = one_of_each(amber)
    path = f"/forwarding/{world.forward.pk}/"
    page = text(html(ada, path))
    assert "Failing" in page
    assert "The connection was refused: nothing listens there." in page
    assert "218" in page
    only = html(ada, f"{path}?state=failing")
    assert world.offline.identity in only
    assert f'href="/stations/{world.station.identity}/"' not in only
    assert "None of that kind" in html(ada, f"{path}?state=connecting")


def test_a_long_list_has_pages(ada: Client, amber: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 1)
    world = one_of_each(amber)
    path = f"/forwarding/{world.forward.pk}/"
    first = html(ada, path)
    (more,) = re.findall(r'href="\?after=(\d+)"', first)
    second = html(ada, f"{path}?after={more}")
    assert [re.findall(r'id="link-(\d+)"', page) for page in (first, second)] == [[more], [str(int(more) + 1)]]


def test_the_pages_take_as_many_queries_as_they_have_always(
    ada: Client, amber: Network, django_assert_max_num_queries: Any
) -> None:
    world = one_of_each(amber)
    for path in ("/forwarding/", f"/forwarding/{world.forward.pk}/"):
        with django_assert_max_num_queries(8):
            html(ada, path)


def test_the_wall_tells_of_one_that_is_broken_for_long(ada: Client, amber: Network) -> None:
    forward = added(ada)
    station = amber.station()
    long_ago = timezone.now() - 2 * selectors.BROKEN

    def tasks() -> list[Any]:
        with scope(operator=amber.operator):
            return [one for one in work(Rights(), timezone.now()).tasks if one.key == f"forward-{forward.pk}"]

    assert tasks() == []
    with scopes_disabled():
        Forward.objects.filter(pk=forward.pk).update(served_at=long_ago)
    (task,) = tasks()
    assert (task.since, "is not running" in task.reason, task.to) == (long_ago, True, f"/forwarding/{forward.pk}/")
    with scopes_disabled():
        Forward.objects.filter(pk=forward.pk).update(served_at=timezone.now())
        ForwardLink.objects.create(
            operator=amber.operator, forward=forward, station=station, read_from=long_ago, failing_since=long_ago, state="failing"
        )
    (task,) = tasks()
    assert (task.since, "could not be forwarded" in task.reason) == (long_ago, True)
