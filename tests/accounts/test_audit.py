"""Who changed what, before and after."""

import pytest
from django.db import transaction
from django_scopes import scope

from accounts import audit
from accounts.models import AuditEntry, Operator, Role, User
from accounts.permissions import MAY, may
from accounts.services import add_operator, add_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def amber() -> Operator:
    return add_operator(name="Amber Grid of the audit")


def newest(operator: Operator) -> AuditEntry:
    with scope(operator=operator):
        entry = AuditEntry.objects.first()
    assert entry is not None
    return entry


def test_an_entry_names_who_acts_and_keeps_only_what_differs(amber: Operator) -> None:
    ada, _ = add_user(email="ada@audit.example", operator=amber, role="owner")
    with audit.acting(ada, via="page"):
        audit.record(
            "user.changed", ada, operator=amber, before={"role": "viewer", "name": "Ada"}, after={"role": "owner", "name": "Ada"}
        )
    entry = newest(amber)
    assert (entry.actor, entry.actor_label, entry.via) == (ada, "ada@audit.example", "page")
    assert (entry.object_type, entry.object_id, entry.object_label) == ("user", str(ada.pk), "ada@audit.example")
    assert (entry.before, entry.after) == ({"role": "viewer"}, {"role": "owner"})


def test_without_a_person_it_was_the_system(amber: Operator) -> None:
    audit.record("rollout.paused", operator=amber, label="Spring", note="Too many failures.")
    entry = newest(amber)
    assert (entry.actor, entry.actor_label, entry.via, entry.note) == (None, "system", "job", "Too many failures.")


def test_secrets_are_never_kept(amber: Operator) -> None:
    audit.record("station.password_changed", operator=amber, before={"password_hash": ""}, after={"password_hash": "pbkdf2$1"})
    assert newest(amber).after == {"password_hash": "***"}


def test_a_change_that_is_rolled_back_leaves_no_entry(amber: Operator) -> None:
    with transaction.atomic():
        audit.record("operator.changed", amber, operator=amber)
        transaction.set_rollback(True)
    with scope(operator=amber):
        assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("verb", sorted(MAY))
def test_a_driver_may_nothing_that_staff_may_whatever_their_role(amber: Operator, verb: str) -> None:
    dee = User.objects.create_user("dee@audit.example", operator=amber, role=Role.OWNER, kind="driver")
    assert not may(dee, verb)
