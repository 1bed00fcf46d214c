"""Accepting a charger on one's own terms, those that are held, and passwords over the air, on their pages."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from stations import credentials
from stations.models import PasswordChange, Refusal, Station
from stations.services.onboarding import mark
from tests.dashboard.rows import seen
from tests.dashboard.test_onboarding import knock, page, part, station_of
from tests.network import PASSWORD, Network

SENT = {"sent": "good", "sent_hash": credentials.hash_password(PASSWORD)}


def terms(refusal: Refusal, **more: Any) -> dict[str, Any]:
    return {
        "identity": refusal.identity,
        "refusal": refusal.pk,
        "seen": mark(refusal),
        "by": "sent",
        "security_profile": "1",
    } | more


def test_one_click_accepts_it_with_the_password_that_it_sends(ada: Client, amber: Network) -> None:
    refusal = knock(amber, "NEW/1", **SENT, secure=True)
    row = part(page(ada), refusal)
    assert "Accept with its password" in row
    posted = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', row.split("</form>")[0]))
    answer = ada.post("/onboarding/accept/", posted | {"identity": "NEW/1"})
    html = page(ada, answer["Location"])
    assert "Nothing has to be entered at the charger: it is let in with the password that it sends" in html
    assert "secret-password" not in html
    made = station_of("NEW/1")
    assert made is not None
    assert (made.security_profile, made.registration) == (2, "Accepted")
    assert credentials.matches(made.password_hash, PASSWORD.encode(), any_form=True)


def test_the_hash_of_what_was_sent_is_nowhere_on_the_page(ada: Client, amber: Network) -> None:
    refusal = knock(amber, "NEW-1", **SENT)
    for html in (page(ada), page(ada, f"/onboarding/?accept={refusal.pk}")):
        assert refusal.sent_hash not in html
        assert refusal.sent_hash.rpartition("$")[2] not in html


def test_a_password_that_changed_since_is_told(ada: Client, amber: Network) -> None:
    refusal = knock(amber, "NEW-1", **SENT)
    answer = ada.post("/onboarding/accept/", terms(refusal, seen="0" * 16))
    assert answer.status_code == 422
    assert "It has sent another password meanwhile." in answer.content.decode()
    # The list below it goes on, though this address answers no question.
    assert 'data-at="/onboarding/"' in answer.content.decode()
    assert station_of("NEW-1") is None


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("short", "too short to be taken"),
        ("long", "too long"),
        ("odd", "not made of printable"),
        ("nothing", "sends no password"),
    ],
)
def test_why_a_password_cannot_be_taken_is_said(ada: Client, amber: Network, sent: str, words: str) -> None:
    refusal = knock(amber, "NEW-1", sent=sent)
    assert words in part(page(ada), refusal)
    html = page(ada, f"/onboarding/?accept={refusal.pk}")
    form = html.split('id="accept"')[1].split("</section>")[0]
    assert words in form
    assert 'value="sent"' not in form


def test_a_password_of_ones_own_a_name_a_site_and_held(ada: Client, amber: Network) -> None:
    refusal = knock(amber, "NEW-1", **SENT)
    more = {"by": "typed", "password": "chosen-by-myself-1", "hold": "on", "name": "Ferry", "site": "Harbour"}
    html = ada.post("/onboarding/accept/", terms(refusal, **more), follow=True).content.decode()
    assert 'id="secret-password">chosen-by-myself-1<' in html
    assert "It will be told to wait" in html
    assert "Held until they are configured" in html
    made = station_of("NEW-1")
    assert made is not None
    with scopes_disabled():
        assert (made.registration, made.name, str(made.site)) == ("Pending", "Ferry", "Harbour")


def test_what_is_wrong_with_the_form_is_said_at_its_field_and_nothing_is_lost(ada: Client, amber: Network) -> None:
    refusal = knock(amber, "NEW-1")
    for more, words in (
        ({"by": "typed", "password": ""}, "Enter the password, or choose another way."),
        ({"by": "typed", "password": "short"}, "has 16 to 40 characters, not 5"),
        ({"by": "none"}, "Tick this to accept it without a password."),
        ({"by": "nonsense"}, "nonsense"),
    ):
        answer = ada.post("/onboarding/accept/", terms(refusal, name="Ferry landing", **more))
        assert answer.status_code == 422
        assert words in answer.content.decode()
        assert 'value="Ferry landing"' in answer.content.decode()
    assert station_of("NEW-1") is None


def test_without_a_password_only_when_somebody_means_it(ada: Client, amber: Network) -> None:
    refusal = knock(amber, "NEW-1", sent="nothing")
    html = ada.post("/onboarding/accept/", terms(refusal, by="none", sure="on"), follow=True).content.decode()
    assert "it is let in without a password" in html
    made = station_of("NEW-1")
    assert made is not None
    assert made.security_profile == 0


def test_a_known_charger_keeps_the_password_that_it_sends(ada: Client, amber: Network) -> None:
    known = amber.station()
    other = credentials.hash_password("what-it-really-sends")
    refusal = knock(amber, known.identity, "wrong_password", sent="good", sent_hash=other)
    assert "Take the one it sends" in part(page(ada), refusal)
    ada.post("/onboarding/take/", terms(refusal))
    changed = station_of(known.identity)
    assert changed is not None
    assert changed.password_hash == other
    html = ada.post("/onboarding/take/", terms(refusal, seen="0" * 16), follow=True).content.decode()
    assert "It has sent another password meanwhile." in html
    html = ada.post("/onboarding/take/", {"identity": known.identity}, follow=True).content.decode()
    assert "It sent no password that can be taken" in html


def test_while_a_charger_is_connected_nobody_else_takes_its_place(ada: Client, amber: Network) -> None:
    known = amber.station()
    before = known.password_hash
    refusal = knock(amber, known.identity, "wrong_password", **SENT)
    seen(known)
    row = part(page(ada), refusal)
    assert "Take the one it sends" not in row
    assert "whoever knocks in its name may be another" in row
    html = ada.post("/onboarding/take/", terms(refusal), follow=True).content.decode()
    assert "whoever knocks may be somebody else" in html
    changed = station_of(known.identity)
    assert changed is not None
    assert changed.password_hash == before


def test_what_a_knock_said_stands_below_it(ada: Client, amber: Network) -> None:
    refusal = knock(
        amber, "NEW-1", "wrong_path", detail="It dialled /steve/NEW-1.", path="/steve/NEW-1", subprotocols="ocpp1.6", secure=False,
        headers={"user-agent": "<b>Acme</b>", "authorization": "Basic ***"},
    )  # fmt: skip
    row = part(page(ada), refusal)
    for words in ("/steve/NEW-1", "ocpp1.6", "without TLS (ws://)", "user-agent", "&lt;b&gt;Acme", "Basic ***"):
        assert words in row
    assert "It dials an address that is not for chargers." in row
    assert "<button" not in row


def test_a_charger_that_belongs_to_nobody_is_found_and_accepted_by_its_exact_name(
    ada: Client, cleo: Client, amber: Network
) -> None:
    refusal = knock(None, "NOBODYS-1", **SENT)
    assert "A charger that is not listed" in page(ada)
    assert "NOBODYS-1" not in page(ada)
    for claim in ("NOBODYS", "nobodys-1"):
        assert f"knock-{refusal.pk}" not in page(ada, f"/onboarding/?claim={claim}")
    assert "Accept with its password" in part(page(ada, "/onboarding/?claim=NOBODYS-1"), refusal)
    assert f'name="refusal" value="{refusal.pk}"' in page(ada, f"/onboarding/?accept={refusal.pk}&identity=NOBODYS-1")
    assert 'id="accept"' not in page(ada, f"/onboarding/?accept={refusal.pk}&identity=OTHER")
    ada.post("/onboarding/accept/", terms(refusal))
    made = station_of("NOBODYS-1")
    assert made is not None
    assert made.operator == amber.operator
    assert f"knock-{refusal.pk}" in page(ada)
    assert "NOBODYS-1 who belongs to no network" in page(cleo, "/onboarding/?claim=NOBODYS-1")


def test_the_knock_of_another_network_cannot_be_taken(ada: Client, amber: Network, cobalt: Network) -> None:
    theirs = knock(cobalt, "THEIRS", **SENT)
    assert 'id="accept"' not in page(ada, f"/onboarding/?accept={theirs.pk}&identity=THEIRS")
    answer = ada.post("/onboarding/accept/", terms(theirs))
    assert answer.status_code == 422
    assert station_of("THEIRS") is None


def test_ben_is_offered_none_of_it(ben: Client, amber: Network) -> None:
    refusal = knock(amber, "NEW-1", **SENT)
    known = amber.station(registration="Pending")
    html = page(ben, f"/onboarding/?accept={refusal.pk}&identity=NEW-1&claim=NEW-1")
    assert 'id="accept"' not in html
    assert "A charger that is not listed" not in html
    assert "Let it charge" not in html
    assert "Let it charge" not in page(ben, f"/stations/{known.identity}/")
    assert 'form="give"' not in page(ben, f"/stations/{known.identity}/?tab=configuration")


def held_steps(html: str) -> list[str]:
    return re.findall(r'class="dot is-(\w+)"', html.split('id="held"')[1].split("</section>")[0])


def test_the_steps_of_one_that_is_held(ada: Client, amber: Network) -> None:
    known = amber.station(registration="Pending")
    address = f"/stations/{known.identity}/"
    assert held_steps(page(ada, address)) == ["done", "now", "open", "open", "open"]
    seen(known, protocol="ocpp1.6")
    with scopes_disabled():
        Station.objects.filter(pk=known.pk).update(booted_at=timezone.now())
        type(known.connection).objects.filter(station=known).update(connected_at=timezone.now())
    assert held_steps(page(ada, address)) == ["done", "done", "done", "now", "open"]
    answer = ada.post(f"{address}accept/?back=station", follow=True)
    html = answer.content.decode()
    assert "is accepted, and was asked to boot at once." in html
    assert '<section class="held" id="held" hidden>' in html
    assert "Ask for status" in page(ada, f"{address}?tab=commands")


def test_name_and_site_are_kept(ada: Client, amber: Network) -> None:
    known = amber.station(registration="Pending")
    html = ada.post(f"/stations/{known.identity}/describe/", {"name": "Ferry", "site": "Harbour"}, follow=True).content.decode()
    assert "The name and the site are kept." in html
    assert 'value="Harbour"' in html
    html = ada.post(f"/stations/{known.identity}/describe/", {"name": "x" * 121, "site": ""}, follow=True).content.decode()
    assert "120" in html


def test_a_password_over_the_air_is_asked_for_and_followed(ada: Client, amber: Network) -> None:
    known = amber.station(accepted=True)
    address = f"/stations/{known.identity}/?tab=configuration"
    answer = ada.post(f"/stations/{known.identity}/password/", {"do": "made"})
    assert answer["Location"] == f"{address}#password"
    html = page(ada, address)
    assert "the old and the new password both let it in" in html
    assert "Take it back" in html
    assert "Give it a new one" not in html
    html = ada.post(f"/stations/{known.identity}/password/", {"do": "made"}, follow=True).content.decode()
    assert "is being given another password already" in html
    for status, words in {
        "unknown": "Nobody knows whether it took", "at_restart": "Restart it…", "accepted": "the old one lets nobody in",
        "done": "It came back with the new password.", "refused": "its old password stays", "not_taken": "came back with the old",
        "unsent": "It was never sent", "replaced": "Another password was given",
    }.items():  # fmt: skip
        with scopes_disabled():
            PasswordChange.objects.filter(station=known).update(status=status)
        assert words in page(ada, address), status


@pytest.mark.parametrize(
    ("typed", "words"), [("short", "OCPP 1.6 takes"), ("a password of twenty-one", "OCPP 1.6 takes a password")]
)
def test_a_typed_password_that_cannot_be_is_refused_before_it_is_asked(ada: Client, amber: Network, typed: str, words: str) -> None:
    known = amber.station(accepted=True)
    seen(known, protocol="ocpp1.6")
    html = ada.post(f"/stations/{known.identity}/password/", {"do": "typed", "password": typed}, follow=True).content.decode()
    assert "The password was not changed:" in html
    assert words in html
    with scopes_disabled():
        assert not PasswordChange.objects.filter(station=known).exists()


def test_cleo_finds_nothing_of_it(cleo: Client, amber: Network) -> None:
    known = amber.station(registration="Pending")
    for action in ("describe", "password", "accept"):
        assert cleo.post(f"/stations/{known.identity}/{action}/", {"name": "Mine"}).status_code == 404
    assert cleo.post("/onboarding/take/", {"identity": known.identity}).status_code == 404


def test_a_charger_that_comes_less_securely_is_allowed_to_with_a_reason(ada: Client, ben: Client, amber: Network) -> None:
    known = amber.station()
    with scopes_disabled():
        Station.objects.filter(pk=known.pk).update(highest_profile=2)
    refusal = knock(amber, known.identity, "profile_lowered")
    html = part(page(ada), refusal)
    assert "has come with it before" in html
    assert "Allow it once" in html
    assert "<button" not in part(page(ben), refusal)
    answer = ada.post("/onboarding/lower/", {"identity": known.identity, "reason": " "}, follow=True)
    assert "Say why it may come less securely" in answer.content.decode()
    answer = ada.post("/onboarding/lower/", {"identity": known.identity, "reason": "Its modem is old"}, follow=True)
    assert "may come without TLS once more" in answer.content.decode()
    assert "It was allowed, and will be let in" in part(answer.content.decode(), refusal)
    changed = station_of(known.identity)
    assert changed is not None
    assert changed.highest_profile == 0
