"""The page of one session."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts.models import IdToken
from billing import tariffs
from stations.models import Transaction
from tests.dashboard.rows import bill, finding, finished, plug, sample, session
from tests.network import Network


def page(client: Client, pk: int) -> str:
    answer = client.get(f"/transactions/{pk}/")
    assert answer.status_code == 200
    return answer.content.decode().replace("\u202f", " ")


def test_a_finished_session_shows_its_price_line_by_line(ada: Client, amber: Network) -> None:
    done = finished(plug(amber))
    bill(done, amber.tariff(), "4.71")
    html = page(ada, done.pk)
    assert "7.5 kWh" in html
    assert ">0.40<" in html
    assert ">3.00<" in html
    assert "4.71 EUR" in html
    assert "Standard" in html
    assert "It is that of the whole network." in html


def test_a_session_says_by_which_tariff_and_why_before_and_after_it_is_billed(ada: Client, amber: Network) -> None:
    here = plug(amber, "Charging")
    amber.tariff()
    night = amber.tariff(name="Night", is_default=False, price_per_minute=0, price_per_session=0)
    with scopes_disabled():
        tariffs.assign(tariff=night, evse=here.evse)
    running = session(here)
    html = page(ada, running.pk)
    assert "Tariff, as it would be billed" in html
    assert "It is assigned to this plug." in html
    assert "0.50 EUR per kWh, tax included." in html
    done = finished(here)
    snapshot = {"currency": "EUR", "elements": [{"price_components": [{"type": "ENERGY", "price": 0.3, "step_size": 1}]}]}
    bill(done, night, "4.71", choice={"version": 3, "place": "site", "audience": "drivers"}, tariff_snapshot=snapshot)
    html = page(ada, done.pk)
    assert "as it would be billed" not in html
    assert "It is assigned to this site, for registered drivers." in html
    assert "version 3, valid when the session started" in html
    assert "0.30 EUR per kWh, tax included." in html


def test_a_session_says_until_when_its_tariff_was_assigned(ada: Client, amber: Network) -> None:
    here = plug(amber, "Charging")
    amber.tariff()
    night = amber.tariff(name="Night", is_default=False)
    running = session(here)
    with scopes_disabled():
        with time_machine.travel(running.started_at - timedelta(hours=1), tick=False):
            assigned = tariffs.assign(tariff=night, evse=here.evse)
        assert "It is assigned to this plug." in page(ada, running.pk)
        tariffs.unassign(assignment=assigned)
    html = page(ada, running.pk)
    assert "Night" in html
    assert "It was assigned to this plug until " in html


def test_a_session_says_who_charged_at_its_start_and_that_it_stays(ada: Client, amber: Network) -> None:
    here = plug(amber, "Charging")
    amber.tariff()
    card = amber.token("CARD", group="Fleet")
    running = session(here, id_token=card)
    assert "noted at the start" not in page(ada, running.pk)
    with scopes_disabled():
        Transaction.objects.filter(pk=running.pk).update(payer="tag", payer_group=card.group_id)
    assert "An id tag of no registered driver, in the group Fleet." in page(ada, running.pk)
    with scopes_disabled():
        IdToken.objects.filter(pk=card.pk).update(group=None)
    html = page(ada, running.pk)
    assert "in the group Fleet. That has changed since; what held at the start stays applied." in html
    with scopes_disabled():
        Transaction.objects.filter(pk=running.pk).update(payer="ad_hoc", payer_group=None, id_token=None)
    assert "Somebody without an id tag that is enrolled." in page(ada, running.pk)


def test_it_shows_the_meter_and_the_power_curve(ada: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    for minute, power in enumerate((11000, 11000, 5500)):
        sample(running, running.started_at + timedelta(minutes=minute), power)
    html = page(ada, running.pk)
    assert html.count("Sample.Periodic") == 3
    assert 'polyline points="0.0,0.0 360.0,0.0 720.0,80.0"' in html
    assert "at most 11.0 kW" in html
    assert "so far" in html or "No tariff: none is assigned to this session" in html


def test_it_shows_at_most_the_last_two_hundred_samples(ada: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"), started_at=timezone.now() - timedelta(hours=5))
    for minute in range(203):
        sample(running, running.started_at + timedelta(minutes=minute), minute)
    html = page(ada, running.pk)
    assert html.count("Sample.Periodic") == 200
    assert ">0.2 kW<" in html


def test_findings_and_doubt_are_said_in_words(ada: Client, amber: Network) -> None:
    doubtful = finished(plug(amber), doubt="register")
    finding(doubtful)
    html = page(ada, doubtful.pk)
    assert "Its meter readings contradict each other" in html
    assert "The clock is 12 minutes behind." in html
    assert "Not billed while it is in doubt." in html


def test_a_viewer_sees_it_and_another_operator_gets_404(ben: Client, cleo: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    assert page(ben, running.pk)
    assert cleo.get(f"/transactions/{running.pk}/").status_code == 404
    assert cleo.get("/transactions/999999999999/").status_code == 404


def test_a_stranger_is_sent_to_the_login(client: Client, amber: Network) -> None:
    running = session(plug(amber, "Charging"))
    assert client.get(f"/transactions/{running.pk}/")["Location"] == f"/login/?next=/transactions/{running.pk}/"


def test_the_samples_of_another_session_are_not_shown(ada: Client, amber: Network) -> None:
    connector = plug(amber, "Charging")
    mine, other = session(connector), finished(connector)
    sample(other, mine.started_at + timedelta(minutes=1), 777)
    assert "no samples of this session" in page(ada, mine.pk)


@pytest.mark.parametrize(
    ("fields", "word", "why"),
    [
        ({}, "Measured", "The charger told the meter at the start and at the end."),
        ({"reconstructed": "gaps"}, "Reconstructed", "has nothing more of what is missing in between"),
        ({"doubt": "stop_attached"}, "Doubtful", "Its end named another session, and may belong to that"),
    ],
)
def test_it_says_how_far_its_energy_can_be_trusted(
    ada: Client, amber: Network, fields: dict[str, str], word: str, why: str
) -> None:
    html = page(ada, finished(plug(amber), **fields).pk)
    assert f">{word}</strong>" in html
    assert why in html


def test_what_the_charger_said_stands_beside_a_corrected_time(ada: Client, amber: Network) -> None:
    done = finished(plug(amber))
    assert "the charger said" not in page(ada, done.pk)
    type(done).objects.with_scopes_disabled().filter(pk=done.pk).update(station_started_at=done.started_at - timedelta(hours=1))
    assert page(ada, done.pk).count("the charger said") == 1


def test_a_session_says_what_the_charger_told_of_the_vehicle_and_its_cable(ada: Client, amber: Network) -> None:
    done = finished(plug(amber))
    words = ("Time spent charging", "Phases used", "Cable")
    assert not any(f"<dt>{word}</dt>" in page(ada, done.pk) for word in words)
    told = {"phases_used": 3, "cable_max_current_a": 32, "time_spent_charging_s": 4000}
    type(done).objects.with_scopes_disabled().filter(pk=done.pk).update(**told)
    html = page(ada, done.pk)
    assert "<dt>Time spent charging</dt><dd>1 h 06 min " in html
    assert "<dt>Phases used</dt><dd>3</dd>" in html
    assert "<dt>Cable</dt><dd>up to 32 A</dd>" in html


def test_a_session_says_since_when_its_plug_was_reserved_and_what_that_cost(ada: Client, amber: Network) -> None:
    done = finished(plug(amber))
    assert "Reserved since" not in page(ada, done.pk)
    type(done).objects.with_scopes_disabled().filter(pk=done.pk).update(reserved_at=done.started_at - timedelta(minutes=30))
    line = {"dimension": "RESERVATION", "volume": "0.5", "unit": "h", "price": "6", "cost_excl_tax": "3"}
    bill(done, amber.tariff(), "3.60", lines=[line])
    html = page(ada, done.pk)
    assert "Reserved since" in html
    assert '<th scope="row">Reservation</th>' in html
