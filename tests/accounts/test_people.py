"""People of an operator: their roles, their invitations, and what keeps an operator from losing its last owner."""

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django_scopes import scope

from accounts import people
from accounts.models import AuditEntry, Invitation, Operator, Role, User
from accounts.selectors import staff_of
from accounts.services import add_operator
from tests.people.conftest import with_second_factor


@pytest.fixture
def amber(db: None) -> Operator:
    return add_operator(name="Amber Grid")


def person(operator: Operator, name: str, **fields: object) -> User:
    return User.objects.create_user(f"{name}@example.org", operator=operator, **fields)


def refused(words: str) -> "pytest.RaisesExc[ValidationError]":
    return pytest.raises(ValidationError, match=words)


def test_an_operator_keeps_an_owner(amber: Operator) -> None:
    ada = person(amber, "ada", role="owner")
    for change in ({"role": "viewer"}, {"active": False}):
        with refused("last owner"):
            people.change_person(person=ada, **change)  # type: ignore[arg-type]
    person(amber, "dee", role="owner", kind="driver")
    person(amber, "off", role="owner", is_active=False)
    with refused("last owner"):
        people.change_person(person=ada, role="viewer")
    person(amber, "bea", role="owner")
    assert people.change_person(person=ada, role="viewer", by=ada).role == "viewer"


def test_nobody_switches_off_themselves(amber: Operator) -> None:
    ada, _bea = person(amber, "ada", role="owner"), person(amber, "bea", role="owner")
    with refused("Another owner can"):
        people.change_person(person=ada, by=ada, active=False)


def test_an_owner_cannot_take_over_whoever_runs_the_whole_system(amber: Operator) -> None:
    ada = person(amber, "ada", role="owner")
    root = person(amber, "root", is_superuser=True)
    for change in (
        lambda: people.change_person(person=root, by=ada, role="viewer"),
        lambda: people.reset_second_factor(person=root, by=ada),
        lambda: people.note_password_link(person=root, by=ada),
    ):
        with refused("runs the whole system"):
            change()


@pytest.mark.parametrize("role", ["", "king", "OWNER"])
def test_a_role_that_is_not_there_is_refused(amber: Operator, role: str) -> None:
    with refused("There is no role"):
        people.invite(operator=amber, email="x@example.org", role=role)
    with refused("There is no role"):
        people.change_person(person=person(amber, "ada"), role=role)


@pytest.mark.parametrize("email", ["", "x", "x@", "x\n@example.org", "a" * 260 + "@example.org"])
def test_an_address_that_is_none_is_refused(amber: Operator, email: str) -> None:
    with pytest.raises(ValidationError):
        people.invite(operator=amber, email=email, role="viewer")


def test_who_is_here_already_is_not_invited(amber: Operator) -> None:
    person(amber, "ada")
    person(amber, "dee", kind="driver")
    with refused("among your people already"):
        people.invite(operator=amber, email=" ADA@example.org", role="viewer")
    with refused("as a driver"):
        people.invite(operator=amber, email="dee@example.org", role="viewer")


def test_invitations_are_bounded(amber: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "MOST_INVITATIONS", 2)
    for name in ("a", "b", "a"):
        people.invite(operator=amber, email=f"{name}@example.org", role="viewer")
    with refused("take back some"):
        people.invite(operator=amber, email="c@example.org", role="viewer")


def test_the_staff_are_not_the_drivers(amber: Operator) -> None:
    ada = person(amber, "ada")
    person(amber, "dee", kind="driver")
    person(add_operator(name="Cobalt"), "cleo")
    assert list(staff_of(amber)) == [ada]


def test_ended_sessions_change_what_logins_are_signed_with_and_nothing_else(amber: Operator) -> None:
    ada = person(amber, "ada", password="x")
    signed = ada.get_session_auth_hash()
    assert User.objects.get(pk=ada.pk).get_session_auth_hash() == signed
    people.end_sessions(user=ada)
    again = User.objects.get(pk=ada.pk)
    assert again.get_session_auth_hash() != signed
    assert again.check_password("x")


def test_an_invitation_that_was_used_or_taken_back_meanwhile_is_neither_renewed_nor_taken_back(amber: Operator) -> None:
    invitation, _token = people.invite(operator=amber, email="dora@example.org", role="viewer")
    with scope(operator=amber):
        Invitation.objects.all().delete()
    for change in (people.renew_invitation, people.remove_invitation):
        with refused("accepted or taken back meanwhile"):
            change(invitation=invitation)
    with scope(operator=amber):
        assert [entry.action for entry in AuditEntry.objects.filter(action__startswith="invitation.")] == ["invitation.sent"]


def test_what_a_person_does_to_their_own_login_is_told_as_theirs_though_an_app_asks(amber: Operator) -> None:
    ada = person(amber, "ada")
    people.note_own_change(user=ada, action="person.second_factor_off")
    with scope(operator=amber):
        assert AuditEntry.objects.get(action="person.second_factor_off").actor == ada


def test_at_the_machine_even_the_only_owner_is_let_in_again(amber: Operator) -> None:
    ada = person(amber, "ada", role="owner", is_superuser=True, password="x")
    signed = ada.get_session_auth_hash()
    with_second_factor(ada)
    password = people.recover(person=ada)
    ada.refresh_from_db()
    assert ada.check_password(password)
    assert ada.get_session_auth_hash() != signed
    assert not Authenticator.objects.filter(user=ada).exists()
    with refused("too short"):
        people.recover(person=ada, password="x")
    people.recover(person=ada, password="sockets-and-plugs")
    with scope(operator=amber):
        told = [entry.action for entry in AuditEntry.objects.filter(object_type="user").order_by("id")]
    assert told == ["person.password_changed", "person.second_factor_reset", "person.password_changed"]
    User.objects.update(is_active=False)
    with refused("switch them on first"):
        people.recover(person=ada)


def test_every_change_is_in_the_audit(amber: Operator) -> None:
    ada = person(amber, "ada", role="owner")
    bea = person(amber, "bea")
    invitation, token = people.invite(operator=amber, email="dora@example.org", role="viewer", by=ada)
    people.renew_invitation(invitation=invitation)
    people.remove_invitation(invitation=invitation)
    _again, token = people.invite(operator=amber, email="dora@example.org", role="viewer", by=ada)
    dora = people.accept_invitation(token=token, name="Dora", password="plugs-and-sockets")
    people.change_person(person=bea, role="support", by=ada)
    people.change_person(person=bea, role="support", by=ada)
    people.rename(user=dora, name="Dora Diaz")
    people.change_password(user=dora, password="sockets-and-plugs")
    people.end_sessions(user=dora)
    with scope(operator=amber):
        entries = [entry for entry in AuditEntry.objects.order_by("id") if entry.action.startswith(("person.", "invitation."))]
        assert not Invitation.objects.exists()
    assert [entry.action for entry in entries] == [
        "invitation.sent",
        "invitation.renewed",
        "invitation.removed",
        "invitation.sent",
        "person.joined",
        "person.changed",
        "person.renamed",
        "person.password_changed",
        "person.sessions_ended",
    ]
    assert (entries[5].before, entries[5].after) == ({"role": Role.VIEWER}, {"role": Role.SUPPORT})
    assert "plugs" not in str([(entry.before, entry.after, entry.note) for entry in entries])
