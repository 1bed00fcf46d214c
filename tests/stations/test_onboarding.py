"""Accepting a charger that knocked: with which password, for whom, and held or not."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts.models import AuditEntry
from stations.credentials import as_presented, hash_password, matches
from stations.models import Refusal, Site, Station
from stations.services import connections, onboarding
from stations.services.onboarding import Terms
from tests.network import PASSWORD, Network


@pytest.fixture
def amber(db: None) -> Network:
    return Network()


@pytest.fixture
def cobalt(db: None) -> Network:
    return Network()


def knocked(identity: str, network: Network | None = None, **fields: Any) -> Refusal:
    now = timezone.now()
    given = {"reason": "unknown_station", "sent": "good", "sent_hash": hash_password(PASSWORD), "first_at": now, "last_at": now}
    with scopes_disabled():
        return Refusal.objects.create(identity=identity, operator=network.operator if network else None, **given | fields)


def accept(network: Network, identity: str, refusal: Refusal | None = None, **terms: Any) -> tuple[Station, str]:
    return onboarding.accept(operator=network.operator, identity=identity, terms=Terms(**terms), refusal=refusal)


def test_the_password_that_was_sent_opens_and_nobody_has_seen_it(amber: Network) -> None:
    refusal = knocked("NEW-1", amber)
    station, password = accept(amber, "NEW-1", refusal, by="sent", seen=onboarding.mark(refusal), security_profile=2)
    assert (password, station.security_profile) == ("", 2)
    assert matches(station.password_hash, PASSWORD.encode(), any_form=True)


def test_a_password_that_was_sent_since_somebody_looked_is_not_taken(amber: Network) -> None:
    refusal = knocked("NEW-1", amber)
    seen = onboarding.mark(refusal)
    Refusal.objects.with_scopes_disabled().update(sent_hash=hash_password("the-password-of-another"))
    refusal.refresh_from_db()
    with pytest.raises(ValidationError, match="another password meanwhile"):
        accept(amber, "NEW-1", refusal, by="sent", seen=seen)


def test_a_password_that_was_sent_long_ago_is_not_taken_and_is_forgotten(amber: Network) -> None:
    old = knocked("NEW-1", amber, last_at=timezone.now() - timedelta(days=1, minutes=1))
    young = knocked("NEW-2", amber)
    with pytest.raises(ValidationError, match="too long ago"):
        accept(amber, "NEW-1", old, by="sent", seen=onboarding.mark(old))
    assert connections.forget_sent(now=timezone.now()) == 1
    for refusal, kept in ((old, False), (young, True)):
        refusal.refresh_from_db()
        assert bool(refusal.sent_hash) is kept


def test_without_a_password_it_is_profile_0_and_held_it_is_pending_with_its_name_and_site(amber: Network) -> None:
    station, password = accept(amber, "NEW-1", by="none", hold=True, name=" Ferry landing ", site="Harbour")
    assert (station.security_profile, station.password_hash, password) == (0, "", "")
    assert (station.registration, station.name, str(station.site)) == ("Pending", "Ferry landing", "Harbour")


def test_a_bad_password_registers_nothing(amber: Network) -> None:
    with pytest.raises(ValidationError, match="16 to 40 characters"):
        accept(amber, "NEW-1", by="typed", password="short", site="Harbour")
    with scope(operator=amber.operator):
        assert not Station.objects.exists()
        assert not Site.objects.exists()


def test_what_nobody_has_claimed_is_seen_by_whoever_names_it(amber: Network, cobalt: Network) -> None:
    nobodys, theirs = knocked("NEW-1"), knocked("NEW-2", cobalt)
    assert list(onboarding.unclaimed("NEW-1")) == [nobodys]
    assert not onboarding.unclaimed("new-1")
    assert not onboarding.unclaimed("NEW")
    assert not onboarding.unclaimed("NEW-2")
    assert not onboarding.unclaimed("")
    assert onboarding.refusal_for(operator=amber.operator, identity="NEW-1", pk=nobodys.pk) == nobodys
    assert onboarding.refusal_for(operator=amber.operator, identity="NEW-2", pk=nobodys.pk) is None
    assert onboarding.refusal_for(operator=amber.operator, identity="NEW-2", pk=theirs.pk) is None
    assert onboarding.refusal_for(operator=amber.operator, pk=nobodys.pk) is None
    assert onboarding.refusal_for(operator=cobalt.operator, pk=theirs.pk) == theirs


def test_who_accepts_it_sees_its_knocks_from_then_on(amber: Network, cobalt: Network) -> None:
    refusal = knocked("NEW-1")
    accept(amber, "NEW-1", refusal, by="sent", seen=onboarding.mark(refusal))
    refusal.refresh_from_db()
    assert refusal.operator == amber.operator
    assert not onboarding.unclaimed("NEW-1")
    with pytest.raises(ValidationError, match="is taken"):
        accept(cobalt, "NEW-1")


def test_the_identity_of_a_registered_charger_shows_nothing(amber: Network) -> None:
    """Not even what knocked before it was."""
    known = amber.station()
    knocked(known.identity)
    assert not onboarding.unclaimed(known.identity)


def test_a_known_charger_may_keep_the_password_that_it_sends(amber: Network) -> None:
    known = amber.station()
    refusal = knocked(known.identity, amber, reason="wrong_password", sent_hash=hash_password("what-it-really-sends"))
    onboarding.take_sent(station=known, refusal=refusal, seen=onboarding.mark(refusal))
    assert matches(known.password_hash, b"what-it-really-sends", any_form=True)
    with scopes_disabled():
        told = AuditEntry.objects.filter(action="station.password_changed").get()
    assert (told.before, told.after) == ({"password_hash": "***"}, {"password_hash": "***"})


def test_a_charger_gets_a_name_and_a_site_and_that_is_told(amber: Network) -> None:
    known = amber.station()
    onboarding.describe(station=known, name=" Ferry landing ", site="Harbour")
    assert (known.name, str(known.site)) == ("Ferry landing", "Harbour")
    onboarding.describe(station=known, name="", site="")
    assert (known.name, known.site) == ("", None)
    with scopes_disabled():
        assert AuditEntry.objects.filter(action="station.changed").count() == 2


@pytest.mark.parametrize(
    ("presented", "any_form", "sent"),
    [
        (None, True, "nothing"),
        (b"", True, "nothing"),
        (b"sixteen-letters!", True, "good"),
        (b"fifteen-letters", True, "short"),
        (b"x" * 41, False, "long"),
        (b"\xff" * 16, True, "good"),
        (b"\xff" * 16, False, "odd"),
        (b"\xff" * 15, True, "odd"),
        (b"tabs\tare-not-printable", False, "odd"),
        ("sechzehn-Zeichenö".encode(), False, "good"),
    ],
)
def test_what_is_presented_is_good_or_it_is_said_why_not(presented: bytes | None, any_form: bool, sent: str) -> None:
    found, kept = as_presented(presented, any_form=any_form)
    assert found == sent
    assert bool(kept) is (sent == "good")
    if kept and presented:
        assert matches(kept, presented, any_form=any_form)
