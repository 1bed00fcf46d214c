"""Pages in the language of their reader."""

import re
from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.template import Context, Template
from django.test import Client
from django.utils import translation
from django_scopes import scope

from accounts.models import User
from accounts.services import choose_language
from csms.dashboard import fragments
from csms.dashboard.words import in_words
from csms.dashboard.worklist import Rights
from stations.domain.commands import BadCommand, RemoteStart
from tests.dashboard.conftest import browser_of
from tests.dashboard.rows import plug, sample, session
from tests.network import Network

WHOLE = [("de", "Ladestationen"), ("nl", "Laadpalen"), ("en", "Chargers")]


def html(client: Client, address: str = "/", **headers: str) -> str:
    return client.get(address, headers=headers).content.decode()


@pytest.mark.parametrize(("language", "word"), WHOLE)
def test_a_page_is_in_the_language_that_its_reader_has_chosen(amber: Network, language: str, word: str) -> None:
    page = html(browser_of(amber, "ada", language=language), **{"accept-language": "fr, en;q=0.5"})
    assert f'<html lang="{language}"' in page
    assert f">{word}</a>" in page


@pytest.mark.parametrize(("language", "word"), WHOLE)
def test_who_has_chosen_none_reads_what_the_browser_asks_for(ada: Client, language: str, word: str) -> None:
    assert f">{word}</a>" in html(ada, **{"accept-language": language})


def test_a_choice_is_kept_for_the_person_and_for_the_page_to_log_in(amber: Network) -> None:
    client = browser_of(amber, "ada")
    answer = client.post("/language/", {"language": "de"}, headers={"referer": "http://testserver/stations/?q=PIER"})
    assert answer["Location"] == "http://testserver/stations/?q=PIER"
    assert "Ladestationen" in html(client)
    client.post("/logout/")
    assert "Anmelden" in html(client, "/login/")
    another = Client()
    another.force_login(User.objects.get(language="de"))
    page = html(another)
    assert "Ladestationen" in page
    assert '<option value="de" lang="de" selected>Deutsch</option>' in page


def test_a_choice_is_taken_back(amber: Network) -> None:
    client = browser_of(amber, "ada", language="de")
    client.cookies["django_language"] = "de"
    client.post("/language/", {"language": ""})
    assert ">Chargers</a>" in html(client, **{"accept-language": "en"})


def test_the_page_to_log_in_can_be_had_in_another_language(client: Client, db: None) -> None:
    answer = client.post("/language/", {"language": "nl", "next": "/login/?next=/stations/"})
    assert answer["Location"] == "/login/?next=/stations/"
    assert "Aanmelden" in html(client, "/login/")


def test_whoever_may_only_look_may_choose_too(ben: Client) -> None:
    ben.post("/language/", {"language": "nl"})
    assert ">Laadpalen</a>" in html(ben)


def test_a_language_that_is_not_there_is_refused(ada: Client, amber: Network) -> None:
    assert ada.post("/language/", {"language": "xx"}).status_code == 400
    assert ada.get("/language/").status_code == 405
    with pytest.raises(ValidationError, match="There is no language xx here"):
        choose_language(user=amber.user("dora"), language="xx")


def test_nobody_is_led_to_another_site(ada: Client) -> None:
    assert ada.post("/language/", {"language": "de", "next": "https://evil.example/"})["Location"] == "/"


def test_the_api_speaks_english_to_everybody(amber: Network) -> None:
    client = browser_of(amber, "ada", language="de")
    answer = client.post("/api/v1/id-tags/", {}, content_type="application/json", headers={"accept-language": "de"})
    assert "This field is required." in answer.content.decode() or answer.status_code == 403


def test_live_fragments_are_in_the_language_of_their_page(amber: Network) -> None:
    with scope(operator=amber.operator):
        session(plug(amber, "Charging"))
        (wall,) = fragments.everything("de", Rights(command=True, change=True), {"ws_url": "ws://testserver"})
    assert "Ladevorgänge" in wall["html"]
    assert "Sessions" not in wall["html"]


def test_why_a_command_makes_no_sense_is_said_in_the_readers_language() -> None:
    with pytest.raises(BadCommand, match=r"^evse must be a whole number from 1 to 255\.$") as raised:
        RemoteStart("04A1", evse=0).check()
    with translation.override("de"):
        assert in_words(raised.value) == "evse muss eine ganze Zahl von 1 bis 255 sein."


@pytest.mark.parametrize(("language", "shown"), [("en", "5 Mar 14:30"), ("de", "5. Mär 14:30"), ("nl", "5 mrt 14:30")])
def test_a_day_is_written_as_in_the_language(language: str, shown: str) -> None:
    with translation.override(language):
        at = datetime(2026, 3, 5, 14, 30, tzinfo=UTC)
        assert Template("{{ at|date:'j M H:i' }}").render(Context({"at": at})) == shown


def test_numbers_in_attributes_stay_as_machines_read_them(amber: Network) -> None:
    """A decimal comma in a coordinate would break a drawing, one in a time or a value a script."""
    with scope(operator=amber.operator):
        running = session(plug(amber, "Charging"), soc_percent=61)
        for minute in (50, 40, 30, 20):
            sample(running, datetime.now(UTC).replace(microsecond=0).replace(minute=minute // 2), 11_000.5 - minute)
        station = running.station
    client = browser_of(amber, "ada", language="de")
    for address in (
        "/",
        f"/transactions/{running.pk}/",
        f"/stations/{station.identity}/",
        f"/stations/{station.identity}/?tab=messages",
    ):
        page = html(client, address)
        numbers = re.findall(
            r'\s(?:x|y|width|height|viewBox|d|value|min|max|low|high|optimum|datetime|data-[a-z-]+)="([^"]*)"', page
        )
        assert [one for one in numbers if re.fullmatch(r"[\d.]+,\d+", one)] == []
        for moment in re.findall(r'datetime="([^"]*)"', page):
            assert datetime.fromisoformat(moment).tzinfo is not None
