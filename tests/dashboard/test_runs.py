"""One command for many chargers: chosen by ticks or by filters, confirmed, asked once, and seen to its end."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.dashboard import runpage, runs
from stations.models import Command
from tests.dashboard.conftest import browser_of
from tests.dashboard.rows import seen
from tests.network import Network
from tests.stations.runs import brought_on


def commands() -> list[Command]:
    with scopes_disabled():
        return list(Command.objects.select_related("station", "requested_by", "run").order_by("station__identity"))


def ask(browser: Client, stations: list[Any], do: str = "clear", **data: Any) -> Any:
    """And a worker brings it on."""
    given = {"station": [one.pk for one in stations], "do": do, "token": "t1", "sure": str(len(stations)), "jitter_s": "0"}
    answer = browser.post("/commands/start/", given | data)
    brought_on()
    return answer


def test_what_is_ticked_is_asked_and_each_command_has_its_own_life(ada: Client, amber: Network) -> None:
    here, there, other = amber.station(accepted=True), amber.station(accepted=True), amber.station()
    seen(here)
    html = ada.get("/commands/", {"station": [here.pk, there.pk], "do": "restart"}).content.decode()
    assert "2 chargers are chosen" in html
    assert "1 of them is not online" in html
    assert "enter how many chargers are asked: 2" in html
    assert other.identity not in html
    answer = ask(ada, [here, there], "restart", when="idle", reason="new firmware")
    [one] = commands()
    assert one.station_id == here.pk
    html = ada.get(answer["Location"]).content.decode()
    assert "0 confirmed, 0 not, 0 left out, 2 to come" in html
    assert "It is asked when it comes back" in html
    seen(there)
    brought_on()
    [one, two] = commands()
    assert [one.station_id, two.station_id] == [here.pk, there.pk]
    assert {(c.kind, c.params["when"], c.reason, str(c.requested_by)) for c in (one, two)} == {
        ("reset", "idle", "new firmware", f"ada.{amber.tag}@example.org")
    }
    assert one.run is not None
    assert answer["Location"] == f"/commands/{one.run.pk}/"
    with scopes_disabled():
        Command.objects.filter(pk=one.pk).update(status="confirmed", finished_at=timezone.now())
        Command.objects.filter(pk=two.pk).update(status="rejected", finished_at=timezone.now(), detail="Occupied")
    brought_on()
    html = ada.get(answer["Location"]).content.decode()
    assert "Restart when idle" in html
    assert "The charger refused: Occupied." in html
    assert "1 confirmed, 1 not, 0 left out, 0 to come" in html
    assert there.identity not in ada.get(answer["Location"] + "?only=done").content.decode()
    assert here.identity not in ada.get(answer["Location"] + "?only=failed").content.decode()
    assert "Restart when idle" in ada.get("/commands/").content.decode()


def test_all_that_match_the_filters_can_be_asked(ada: Client, amber: Network) -> None:
    old = [amber.station(firmware_version="1.0") for _ in range(3)]
    amber.station(firmware_version="2.0")
    html = ada.get("/stations/?firmware=1.0").content.decode()
    assert 'href="/commands/?all=on&amp;firmware=1.0"' in html
    html = ada.get("/commands/?all=on&firmware=1.0&do=clear").content.decode()
    # What was seen is what is asked, whatever happens to the list meanwhile.
    assert re.findall(r'name="station" value="(\d+)"', html) == [str(one.pk) for one in old]


def test_a_form_that_is_sent_twice_asks_once(ada: Client, amber: Network) -> None:
    one = amber.station()
    seen(one)
    assert ask(ada, [one])["Location"] == ask(ada, [one])["Location"]
    assert len(commands()) == 1
    ask(ada, [one], token="t2")
    assert len(commands()) == 2


@pytest.mark.parametrize("sure", ["", "1", "yes"])
def test_nobody_is_asked_before_the_number_is_confirmed(ada: Client, amber: Network, sure: str) -> None:
    stations = [amber.station(), amber.station()]
    for one in stations:
        seen(one)
    answer = ask(ada, stations, sure=sure)
    assert answer.status_code == 422
    assert commands() == []
    # It can be put right there.
    assert re.findall(r'name="station" value="(\d+)"', answer.content.decode()) == [str(one.pk) for one in stations]


def test_each_is_asked_in_the_words_of_its_version_and_who_lacks_them_is_left_out(ada: Client, amber: Network) -> None:
    old, new = amber.station(), amber.station()
    seen(old, protocol="ocpp1.6")
    seen(new, protocol="ocpp2.0.1")
    ask(ada, [old, new], "read")
    assert [one.kind for one in commands()] == ["get_variables", "get_base_report"]


def test_more_than_can_be_named_are_chosen_by_the_filters_and_held_if_they_are_others_by_then(
    ada: Client, amber: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "NAMED", 2)
    stations = [amber.station(firmware_version="1.0") for _ in range(3)]
    for one in stations:
        seen(one)
    html = ada.get("/commands/?all=on&firmware=1.0&do=clear").content.decode()
    assert "3 chargers are chosen" in html
    assert "and 1 more" in html
    carried = dict(re.findall(r'<input type="hidden" name="(all|firmware|total)" value="([^"]*)">', html))
    assert carried == {"all": "on", "firmware": "1.0", "total": "3"}
    run = ada.post("/commands/start/", carried | {"do": "clear", "token": "t1", "sure": "3", "jitter_s": "0"})["Location"]
    amber.station(firmware_version="1.0")
    brought_on()
    assert commands() == []
    assert "4 chargers match now, and not 3" in ada.get(run).content.decode()
    ada.post(f"{run}lead/", {"do": "resume"})
    brought_on()
    assert len(commands()) == 3


def test_pace_and_stop_rule_are_chosen_and_shown(ada: Client, amber: Network) -> None:
    stations = [amber.station() for _ in range(3)]
    for one in stations:
        seen(one)
    assert ask(ada, stations, at_once="0").status_code == 422
    run = ask(ada, stations, at_once="1", failed_percent="", most_failed="0")["Location"]
    assert len(commands()) == 1
    html = ada.get(run).content.decode()
    assert "more than 0 failed" in html
    with scopes_disabled():
        Command.objects.update(status="rejected", finished_at=timezone.now())
    brought_on()
    assert "Held by its stop rule: 1 failed; 0 may." in ada.get(run).content.decode()
    for do, state in (("resume", "Running"), ("pause", "Paused"), ("cancel", "Cancelled")):
        assert ada.post(f"{run}lead/", {"do": do})["Location"] == run
        assert state in ada.get(run).content.decode()
    again = ada.post(f"{run}lead/", {"do": "retry"})["Location"]
    assert again != run
    assert "those of run" in ada.get(again).content.decode()
    assert "moved on meanwhile" in ada.post(f"{run}lead/", {"do": "pause"}, follow=True).content.decode()
    assert ada.post(f"{run}lead/", {"do": "dance"}).status_code == 404


def test_a_run_and_the_list_of_runs_are_paged(ada: Client, amber: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runpage, "PAGE", 2)
    monkeypatch.setattr(runs, "RUNS_SHOWN", 1)
    stations = [amber.station() for _ in range(3)]
    run = ask(ada, stations)["Location"]
    newer = ask(ada, stations, token="t2")["Location"]
    first = ada.get(run).content.decode()
    assert [one.identity in first for one in stations] == [True, True, False]
    (further,) = re.findall(r'href="\?(after=\d+)"', first)
    second = ada.get(f"{run}?{further}").content.decode()
    assert [one.identity in second for one in stations] == [False, False, True]
    html = ada.get("/commands/").content.decode()
    assert (newer in html, run in html) == (True, False)
    (older,) = re.findall(r'href="\?(before=\d+)"', html)
    assert run in ada.get(f"/commands/?{older}").content.decode()


def test_ben_may_look_but_not_ask_and_cleo_finds_nothing(amber: Network, ada: Client, ben: Client, cleo: Client) -> None:
    one = amber.station()
    seen(one)
    run = ask(ada, [one])["Location"]
    assert ben.post(f"{run}lead/", {"do": "cancel"}).status_code == 403
    assert cleo.post(f"{run}lead/", {"do": "cancel"}).status_code == 404
    assert ben.get(run).status_code == 200
    assert ben.get("/commands/").status_code == 403
    assert ask(ben, [one], token="t2").status_code == 403
    html = ben.get("/stations/").content.decode()
    assert "data-tick" not in html
    assert "/commands/" not in html
    assert cleo.get(run).status_code == 404
    assert cleo.get("/commands/", {"station": one.pk}).context["selected"].heads == []
    assert ask(cleo, [one], token="t3").status_code == 404
    assert len(commands()) == 1


@pytest.mark.parametrize("query", ["station=x", "station=99999999999999999999", "do=nonsense", "all=on&status=Blue&site=%00"])
def test_what_makes_no_sense_chooses_nobody(ada: Client, query: str) -> None:
    assert "No charger is chosen" in ada.get(f"/commands/?{query}").content.decode()


def test_a_network_is_needed_to_ask(amber: Network) -> None:
    nobody = browser_of(amber, "root", operator=None, is_superuser=True)
    assert ask(nobody, [amber.station()]).status_code == 403


def test_a_run_costs_the_same_for_one_charger_and_for_many(ada: Client, amber: Network) -> None:
    few = ask(ada, [amber.station()])["Location"]
    many = ask(ada, [amber.station() for _ in range(12)], token="t2")["Location"]
    counts = []
    for path in (few, many):
        with CaptureQueriesContext(connection) as queries:
            ada.get(path)
        counts.append(len(queries))
    # Session, user, operator; the run, its rows, how many are where.
    assert counts[0] == counts[1] <= 6
