"""The pages of roll-outs: the wizard without JavaScript, the list, and one with its bar, its rows and its buttons."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from stations.models import Firmware, Rollout, RolloutStep, Station
from tests.dashboard.rolloutrows import rolled_out
from tests.dashboard.rows import seen
from tests.network import Network
from tests.stations.rollingout import MODEL, NEW, chargers, image, steps


@pytest.fixture
def firmware(amber: Network) -> Firmware:
    return image(amber)


def hidden(html: str) -> dict[str, list[str]]:
    """What the form of a page would send beside what is filled in."""
    form = html.split('class="ask wizard"')[1].split("</form>")[0]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form):
        found.setdefault(name, []).append(value)
    return found


def rollouts() -> list[Rollout]:
    with scopes_disabled():
        return list(Rollout.objects.order_by("id"))


def test_the_wizard_leads_from_the_image_to_the_start_without_losing_anything(
    ada: Client, amber: Network, firmware: Firmware
) -> None:
    here = chargers(amber, 3)
    chargers(amber, 2, vendor="Northlight")
    html = ada.get("/rollouts/new/").content.decode()
    assert "aria-invalid" not in html
    assert f"{MODEL} (5)" in html
    assert 'value="waves"' in html
    given: dict[str, Any] = {"firmware": firmware.pk, "models": [MODEL]}
    for step, more in (
        ("waves", {"waves": "1, 100 %", "at_once": "2"}),
        ("window", {"window_start": "22:00", "window_end": "05:00", "window_days": ["4", "5"]}),
        ("rule", {"failed_percent": "10", "judge_after": "3", "most_lost": "0"}),
        ("preview", {"name": "Quay"}),
    ):
        answer = ada.get("/rollouts/new/?" + urlencode(given | {"step": step}, doseq=True))
        assert answer.status_code == 200, step
        html = answer.content.decode()
        given |= {name: value for name, value in hidden(html).items() if name != "csrfmiddlewaretoken"} | more
    assert "3 chargers get it" in html
    assert "Another make or model" in html
    assert all(one.identity in html for one in here)
    assert rollouts() == []
    answer = ada.post("/rollouts/create/", given | {"then": "start"})
    (rollout,) = rollouts()
    assert answer["Location"] == f"/rollouts/{rollout.pk}/"
    assert (rollout.name, rollout.state, rollout.waves, rollout.window_days, rollout.at_once) == (
        "Quay", "running", ["1", "100%"], [4, 5], 2,
    )  # fmt: skip
    assert (rollout.failed_percent, rollout.judge_after, rollout.most_lost, rollout.forced) == (10, 3, 0, False)
    assert str(rollout.started_by) == f"ada.{amber.tag}@example.org"
    assert len(steps(rollout)) == 3
    # The form sent twice begins once.
    assert ada.post("/rollouts/create/", given | {"then": "start"})["Location"] == answer["Location"]
    assert len(rollouts()) == 1


@pytest.mark.parametrize(
    ("query", "field", "step"),
    [
        ({"step": "waves"}, "field-firmware", "Image and chargers"),
        ({"stations": "NOBODY", "step": "preview"}, "There is no charger NOBODY", "Image and chargers"),
        ({"waves": "x", "step": "window"}, "A wave is a number of chargers such as 1", "Waves"),
        ({"waves": "50%, 10%", "step": "window"}, "Each wave goes further", "Waves"),
        ({"at_once": "0", "step": "preview"}, "field-at_once", "Waves"),
        ({"window_start": "22:00", "step": "rule"}, "A window has a beginning and an end", "When"),
        ({"window_start": "99:00", "step": "rule"}, "field-window_start", "When"),
        ({"failed_percent": "101", "step": "preview"}, "field-failed_percent", "When to stop"),
        ({"sites": "99999", "step": "preview"}, "field-sites", "Image and chargers"),
    ],
)
def test_a_step_with_a_mistake_is_shown_again_with_its_cause(
    ada: Client, amber: Network, firmware: Firmware, query: dict[str, str], field: str, step: str
) -> None:
    given = {} if field == "field-firmware" else {"firmware": str(firmware.pk)}
    answer = ada.get("/rollouts/new/", given | query)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert f'<h2 id="step-title">{step}</h2>' in html
    assert field in html
    assert "has-error" in html


def test_what_changed_since_it_was_looked_at_is_not_started(ada: Client, amber: Network, firmware: Firmware) -> None:
    chargers(amber, 2)
    html = ada.get(f"/rollouts/new/?firmware={firmware.pk}&step=preview").content.decode()
    given = hidden(html)
    chargers(amber, 1)
    answer = ada.post("/rollouts/create/", given | {"then": "start"})
    assert answer.status_code == 422
    assert "The chargers have changed since you looked" in answer.content.decode()
    assert rollouts() == []


def test_a_draft_is_kept_looked_at_and_started(ada: Client, ben: Client, amber: Network, firmware: Firmware) -> None:
    chargers(amber, 2)
    given = hidden(ada.get(f"/rollouts/new/?firmware={firmware.pk}&step=preview").content.decode())
    page = ada.post("/rollouts/create/", given | {"then": "keep"})["Location"]
    html = ada.get(page).content.decode()
    assert "Start with 2 chargers" in html
    assert "Start with" not in ben.get(page).content.decode()
    seal = re.findall(r'name="seal" value="(\w+)"', html)[0]
    assert ada.post(f"{page}lead/", {"do": "start", "seal": seal})["Location"] == page
    assert rollouts()[0].state == "running"
    assert ada.post(f"{page}lead/", {"do": "discard"})["Location"] == page
    assert "It had moved on meanwhile" in ada.get(page).content.decode()


def test_the_bar_says_in_words_what_it_shows(ada: Client, amber: Network) -> None:
    with scopes_disabled():
        made = rolled_out(amber)
    html = ada.get(f"/rollouts/{made.rollout.pk}/").content.decode()
    said = "1 of 9 done, 1 installing, 1 downloading, 2 waiting, 2 failed, 2 left out"
    assert f'aria-valuetext="{said}"' in html
    assert html.count(said) == 2
    assert 'aria-valuenow="5"' in html
    assert "Held by its stop rule: 2 of 3 updates failed, more than 20 %." in html
    for sentence in (
        "The charger could not fetch the file",
        "It did not come back",
        "Downloading",
        "Restarting",
        "Has this version already",
        "Waits until the roll-out goes on",
        "Fetches the file",
    ):
        assert sentence in html, sentence
    failed = ada.get(f"/rollouts/{made.rollout.pk}/?only=failed").content.decode()
    assert "It did not come back" in failed
    assert "Waits until" not in failed
    with scopes_disabled():
        Rollout.objects.filter(pk=made.rollout.pk).update(state="running")
    html = ada.get(f"/rollouts/{made.rollout.pk}/").content.decode()
    assert "Somebody charges; goes on when it is idle" in html
    assert "Is next" in html
    assert "Nightly" in ada.get("/rollouts/").content.decode()


def test_one_that_is_back_after_all_is_told_so_before_somebody_goes_there(ada: Client, amber: Network) -> None:
    with scopes_disabled():
        made = rolled_out(amber)
        lost = RolloutStep.objects.select_related("station").get(rollout=made.rollout, reason="lost").station
    page = f"/rollouts/{made.rollout.pk}/?only=failed"
    assert "somebody may have to go there" in ada.get(page).content.decode()
    seen(lost)
    html = ada.get(page).content.decode()
    assert "It did not come back in time, and is online now: try it again." in html
    assert "somebody may have to go there" not in html
    with scopes_disabled():
        Station.objects.filter(pk=lost.pk).update(firmware_version=NEW)
    assert "It came back late, with the new version: nothing is left to do." in ada.get(page).content.decode()


def test_the_buttons_lead_it(ada: Client, amber: Network) -> None:
    with scopes_disabled():
        made = rolled_out(amber)
    page = f"/rollouts/{made.rollout.pk}/"

    def state() -> str:
        with scopes_disabled():
            return Rollout.objects.get(pk=made.rollout.pk).state

    for do, expected in (("resume", "running"), ("pause", "paused"), ("retry", "paused"), ("cancel", "cancelled")):
        assert ada.post(f"{page}lead/", {"do": do})["Location"] == page
        assert state() == expected
    assert ada.post(f"{page}lead/", {"do": "explode"}).status_code == 404
    with scopes_disabled():
        assert not RolloutStep.objects.filter(rollout=made.rollout, state__in=("failed", "waiting")).exists()


def test_one_charger_is_retried_or_left_out(ada: Client, amber: Network) -> None:
    with scopes_disabled():
        made = rolled_out(amber)
        waiting = RolloutStep.objects.filter(rollout=made.rollout, state="waiting").first()
    assert waiting is not None
    path = f"/rollouts/{made.rollout.pk}/steps/"
    assert ada.post(f"{path}{made.failed.pk}/", {"do": "retry"})["Location"].endswith(f"#step-{made.failed.pk}")
    ada.post(f"{path}{waiting.pk}/", {"do": "skip"})
    found = {step.pk: (step.state, step.reason) for step in steps(made.rollout)}
    assert found[made.failed.pk] == ("waiting", "")
    assert found[waiting.pk] == ("skipped", "person")
    ada.post(f"{path}{waiting.pk}/", {"do": "skip"})
    assert "had moved on meanwhile" in ada.get(f"/rollouts/{made.rollout.pk}/").content.decode()
    assert ada.post(f"{path}{waiting.pk}/", {"do": "nonsense"}).status_code == 404


def test_one_like_it_is_planned_from_its_own_plan(ada: Client, amber: Network) -> None:
    with scopes_disabled():
        made = rolled_out(amber)
    html = ada.get(f"/rollouts/{made.rollout.pk}/").content.decode()
    again = re.findall(r'href="(/rollouts/new/[^"]+)"', html)[0].replace("&amp;", "&")
    html = ada.get(again.replace("step=chargers", "step=preview")).content.decode()
    assert hidden(html)["window_start"] == ["22:00"]
    assert hidden(html)["waves"] == ["1, 100%"]


def test_without_an_image_or_a_roll_out_the_pages_say_what_to_do(ada: Client, ben: Client) -> None:
    assert "No roll-outs yet" in ada.get("/rollouts/").content.decode()
    assert "Plan a roll-out" not in ben.get("/rollouts/").content.decode()
    assert "There is no image yet" in ada.get("/rollouts/new/").content.decode()


def test_a_page_costs_the_same_for_few_and_for_many(ada: Client, amber: Network) -> None:
    with scopes_disabled():
        few = rolled_out(amber)
        Firmware.objects.update(version="1.9")
        many = rolled_out(amber, copies=5)
    counts = []
    for path in (f"/rollouts/{few.rollout.pk}/", f"/rollouts/{many.rollout.pk}/"):
        with CaptureQueriesContext(connection) as queries:
            ada.get(path)
        counts.append(len(queries))
    # Session, user, operator; the roll-out, its rows, its counts, its waves.
    assert counts[0] == counts[1] <= 8
    with CaptureQueriesContext(connection) as queries:
        ada.get("/rollouts/")
    assert len(queries) <= 6


def test_rows_beyond_a_page_are_further_on(ada: Client, amber: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("csms.dashboard.rollouts.STEPS_PAGE", 4)
    monkeypatch.setattr("csms.dashboard.rollouts.PAGE", 1)
    with scopes_disabled():
        made = rolled_out(amber)
    page, seen = f"/rollouts/{made.rollout.pk}/", []
    while page:
        html = ada.get(page).content.decode()
        seen += re.findall(r'id="step-(\d+)"', html)
        further = re.findall(r'href="\?((?:only=\w+&amp;)?after=\d+)"', html)
        page = f"/rollouts/{made.rollout.pk}/?{further[0]}" if further else ""
    assert seen == [str(step.pk) for step in steps(made.rollout)]
    html = ada.get("/rollouts/").content.decode()
    assert "Drafted" in html
    assert "Nightly" in ada.get("/rollouts/?" + re.findall(r"before=\d+", html)[0]).content.decode()
