"""The work list of the wall: what needs a person, why, since when, and the next step."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from csms.dashboard.worklist import Rights, work
from csms.webhooks import services
from csms.webhooks.models import Webhook
from stations import problems
from stations.models import Command, Connector, RepairMessage, Station, Transaction
from tests.dashboard.rows import finished, plug, seen, session
from tests.dashboard.test_wall import page, part
from tests.network import Network

EVERYTHING = Rights(command=True, change=True, asks=frozenset({"commands.send"}))


def keys(network: Network, rights: Rights = EVERYTHING) -> list[str]:
    with scope(operator=network.operator):
        return [task.key for task in work(rights, timezone.now()).tasks]


def was(row: Connector | Station | Transaction, **fields: Any) -> None:
    with scopes_disabled():
        type(row).objects.filter(pk=row.pk).update(**fields)


def ago(**spent: float) -> Any:
    return timezone.now() - timedelta(**spent)


def asked(station: Station, status: str, **fields: Any) -> Command:
    now = timezone.now()
    given = {"kind": "unlock_connector", "params": {"evse": 1}, "created_at": now, "expires_at": now, "finished_at": now}
    with scopes_disabled():
        return Command.objects.create(operator=station.operator, station=station, status=status, **given | fields)


def test_when_nothing_is_wrong_there_is_no_list(ada: Client, amber: Network) -> None:
    session(plug(amber, "Charging"))
    finished(plug(amber))
    assert keys(amber) == []
    assert ' id="work" aria-labelledby="work-title" hidden>' in page(ada)


def test_a_faulted_plug_says_what_is_wrong_since_when_and_leads_to_a_restart(ada: Client, amber: Network) -> None:
    broken = plug(amber, "Faulted", error_code="GroundFailure", info="RCD tripped")
    was(broken, status_at=ago(minutes=20))
    html = page(ada)
    identity = broken.evse.station.identity
    assert f"{identity} plug 1 Faulted: GroundFailure – RCD tripped 20 min ago Restart it…" in part(html, f"task-fault-{broken.pk}")
    link = f"/stations/{identity}/?tab=commands&amp;do=restart#do"
    assert link in html
    with scopes_disabled():
        broken.evse.station.connection.protocol = "ocpp1.6"
        broken.evse.station.connection.save()
    assert "Restart the charger" in ada.get(link.replace("&amp;", "&")).content.decode()


def test_a_fault_of_a_whole_charger_is_one_task(amber: Network) -> None:
    first = plug(amber)
    plug(amber, station=first.evse.station)
    was(first.evse.station, status="Faulted", error_code="InternalError")
    assert keys(amber) == [f"fault-{first.pk}"]


def test_a_charger_is_missed_after_ten_minutes_not_before(amber: Network) -> None:
    away, back = plug(amber).evse.station, plug(amber).evse.station
    amber.station()  # never connected: it waits, nobody misses it
    for station, minutes in ((away, 11), (back, 9)):
        seen(station, ago=timedelta(minutes=minutes))
        was(station, heartbeat_interval_s=60)
    assert keys(amber) == [f"offline-{away.pk}"]


@pytest.mark.parametrize(("status", "do"), [("Preparing", "start"), ("Finishing", "unlock")])
def test_a_plug_that_is_stuck_for_a_quarter_of_an_hour_leads_to_what_frees_it(
    ada: Client, amber: Network, status: str, do: str
) -> None:
    stuck, fresh = plug(amber, status), plug(amber, status)
    was(stuck, status_at=ago(minutes=16))
    was(fresh, status_at=ago(minutes=14))
    assert keys(amber) == [f"stuck-{stuck.pk}"]
    assert f"?tab=commands&amp;do={do}&amp;plug=1" in page(ada)


def test_a_stuck_plug_of_an_offline_charger_is_told_once(amber: Network) -> None:
    stuck = plug(amber, "Finishing")
    was(stuck, status_at=ago(hours=3))
    seen(stuck.evse.station, ago=timedelta(hours=2))
    assert keys(amber) == [f"offline-{stuck.evse.station_id}"]


def test_a_session_that_runs_at_a_free_plug_or_is_silent_for_hours_leads_to_itself(ada: Client, amber: Network) -> None:
    idle = plug(amber)
    free, silent, well = session(idle), session(plug(amber, "Charging")), session(plug(amber, "Charging"))
    was(idle, status_at=ago(minutes=3))
    was(silent, started_at=ago(hours=9), meter_last_at=ago(hours=4))
    assert keys(amber) == [f"session-{free.pk}", f"session-{silent.pk}"]
    assert f"session-{well.pk}" not in keys(amber)
    html = page(ada)
    assert "its end was not reported" in part(html, f"task-session-{free.pk}")
    assert "4 h ago" in part(html, f"task-session-{silent.pk}")
    assert f'href="/transactions/{free.pk}/"' in html


def test_a_plug_that_is_free_since_a_moment_may_still_report_the_end(amber: Network) -> None:
    idle = plug(amber)
    session(idle)
    was(idle, status_at=ago(seconds=30))
    assert keys(amber) == []


@pytest.mark.parametrize("registration", ["Pending", "Rejected"])
def test_a_charger_that_knocks_and_is_not_accepted_is_accepted_with_one_click(
    ada: Client, amber: Network, registration: str
) -> None:
    knocks = amber.station(registration=registration, booted_at=timezone.now())
    amber.station(registration=registration, booted_at=ago(hours=2))  # has given up
    assert keys(amber) == [f"boot-{knocks.pk}"]
    url = f"/stations/{knocks.identity}/accept/"
    assert f'form="act" formaction="{url}"' in page(ada)
    answer = ada.post(url, follow=True)
    assert f"{knocks.identity} is accepted" in answer.content.decode()
    with scopes_disabled():
        knocks.refresh_from_db()
    assert knocks.registration == "Accepted"
    assert keys(amber) == []


def test_nobody_accepts_a_charger_who_may_not(ben: Client, cleo: Client, amber: Network) -> None:
    knocks = amber.station(registration="Pending", booted_at=timezone.now())
    url = f"/stations/{knocks.identity}/accept/"
    assert ben.post(url).status_code == 403
    assert cleo.post(url).status_code == 404
    assert cleo.get(url).status_code == 405
    with scopes_disabled():
        knocks.refresh_from_db()
    assert knocks.registration == "Pending"


@pytest.mark.parametrize("status", ["rejected", "failed", "timed_out", "no_effect", "expired"])
def test_a_command_that_came_to_nothing_leads_to_its_answer(ada: Client, amber: Network, status: str) -> None:
    station = plug(amber).evse.station
    asked(station, status, finished_at=ago(hours=25))
    asked(station, "confirmed", kind="reset")
    command = asked(station, status)
    assert keys(amber) == [f"command-{command.pk}"]
    html = page(ada)
    assert "Unlock the plug (plug 1):" in part(html, f"task-command-{command.pk}")
    assert f"?tab=commands#command-{command.pk}" in html


def test_a_command_that_was_asked_again_is_off_the_list(amber: Network) -> None:
    station = plug(amber).evse.station
    asked(station, "rejected")
    again = asked(station, "sent", finished_at=None)
    assert keys(amber) == []
    with scopes_disabled():
        Command.objects.filter(pk=again.pk).update(status="no_effect", finished_at=timezone.now())
    assert keys(amber) == [f"command-{again.pk}"]


def test_the_most_urgent_comes_first_and_of_a_kind_the_newest(amber: Network) -> None:
    old, new = plug(amber, "Faulted"), plug(amber, "Faulted")
    was(old, status_at=ago(days=30))
    asked(plug(amber).evse.station, "rejected")
    away = plug(amber).evse.station
    seen(away, ago=timedelta(days=1))
    names = [key.split("-")[0] for key in keys(amber)]
    assert names == ["fault", "fault", "offline", "command"]
    assert keys(amber)[0] == f"fault-{new.pk}"


def test_of_a_kind_ten_are_shown_and_a_link_leads_to_the_others(ada: Client, amber: Network) -> None:
    for _ in range(problems.EACH + 2):
        plug(amber, "Faulted")
    assert len(keys(amber)) == problems.EACH
    assert '<a href="/stations/?status=Faulted">All faulted chargers</a>' in page(ada)


def test_a_viewer_sees_the_reasons_and_no_controls(ben: Client, amber: Network) -> None:
    broken = plug(amber, "Faulted")
    amber.station(registration="Pending", booted_at=timezone.now())
    html = page(ben)
    assert "It does not say why" in part(html, f"task-fault-{broken.pk}")
    assert "do=restart" not in html
    assert "formaction" not in html


def test_another_operator_has_nothing_to_do_with_it(cleo: Client, cobalt: Network, amber: Network) -> None:
    broken = plug(amber, "Faulted")
    asked(broken.evse.station, "rejected")
    plug(cobalt)
    assert keys(cobalt) == []
    assert broken.evse.station.identity not in page(cleo)


def test_a_webhook_that_was_switched_off_leads_to_its_log_and_a_paused_one_is_no_task(
    ada: Client, cleo: Client, amber: Network
) -> None:
    url, events = "https://example.com/h?key=1", ["station.online"]
    off, paused = (services.add(operator=amber.operator, url=url, events=events) for _ in range(2))
    services.pause(webhook=paused)
    with scopes_disabled():
        Webhook.objects.filter(pk=off.pk).update(active=False, disabled_because="It answered 410.", failing_since=ago(hours=2))
    assert keys(amber) == [f"webhook-{off.pk}"]
    html = page(ada)
    said = "https://example.com/h?… The webhook was switched off: It answered 410. 2 h ago Its deliveries, resume"
    assert said in part(html, f"task-webhook-{off.pk}")
    assert f'href="/webhooks/{off.pk}/"' in html
    assert f"task-webhook-{off.pk}" not in page(cleo)
    # Either way somebody has seen it.
    services.pause(webhook=off)
    assert keys(amber) == []


def test_sessions_in_doubt_and_messages_not_understood_stand_there_once_until_somebody_decides(ada: Client, amber: Network) -> None:
    rows = [finished(plug(amber), doubt=doubt) for doubt in ("stop_missing", "register", "set_aside")]
    with scopes_disabled():
        RepairMessage.objects.create(
            operator=amber.operator, station=rows[0].station, action="StopTransaction", frame="{}", received_at=timezone.now()
        )
    assert keys(amber) == ["review"]
    said = part(page(ada), "task-review")
    assert "Sessions in doubt 3 wait for somebody, and are not billed." in said
    assert "Put them right" in said
    for row in rows:
        was(row, doubt="")
    with scopes_disabled():
        RepairMessage.objects.update(resolved_at=timezone.now())
    assert keys(amber) == []


def test_the_list_takes_seventeen_queries_whatever_is_wrong(amber: Network, django_assert_num_queries: Callable[..., Any]) -> None:
    for count in (1, 12):
        for _ in range(count):
            broken = plug(amber, "Faulted")
            asked(broken.evse.station, "rejected")
            was(plug(amber, "Preparing"), status_at=ago(hours=1))
            was(session(plug(amber, "Charging")), meter_last_at=ago(hours=4), started_at=ago(hours=5))
            seen(plug(amber).evse.station, ago=timedelta(days=1))
            amber.station(registration="Pending", booted_at=timezone.now())
        with scope(operator=amber.operator), django_assert_num_queries(17):
            work(EVERYTHING, timezone.now())


def test_fruitless_commands_are_found_by_their_index_alone(amber: Network) -> None:
    station = plug(amber).evse.station
    now = timezone.now()
    with scopes_disabled():
        Command.objects.bulk_create(
            Command(operator=amber.operator, station=station, kind="reset", status="confirmed", created_at=now, expires_at=now)
            for _ in range(5000)
        )
    with connection.cursor() as cursor, scope(operator=amber.operator):
        cursor.execute("ANALYZE stations_command")
        assert "command_operator_fruitless" in problems.fruitless(now).explain()
