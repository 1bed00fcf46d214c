"""Who changed what, before and after."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_scopes import scope

from accounts import audit, history, imports, services
from accounts.models import AuditEntry, Operator, Role, User
from accounts.permissions import MAY, may
from accounts.services import add_operator, add_user

pytestmark = pytest.mark.django_db
NOW = datetime(2100, 1, 1, tzinfo=UTC)  # later than whatever the fixtures write down


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


def test_a_secret_that_was_changed_is_told_as_changed(amber: Operator) -> None:
    audit.record("station.password_changed", operator=amber, before={"password_hash": "a"}, after={"password_hash": "b"})
    assert (newest(amber).before, newest(amber).after) == ({"password_hash": "***"}, {"password_hash": "***"})


def test_a_change_that_changes_nothing_is_none(amber: Operator) -> None:
    last = newest(amber)
    audit.record("operator.changed", amber, operator=amber, before={"name": "A"}, after={"name": "A"})
    assert newest(amber) == last


def test_what_json_cannot_hold_is_told_in_words(amber: Operator) -> None:
    at = datetime(2026, 11, 21, 5, tzinfo=timezone(timedelta(hours=1)))
    audit.record(
        "x.changed", operator=amber, after={"at": at, "price": Decimal("0.40"), "of": ["a", {"b": 1, "pin": ""}], "nul": "\0"}
    )
    assert newest(amber).after == {"at": "2026-11-21T04:00:00+00:00", "price": "0.40", "of": "a; b: 1", "nul": ""}


def test_what_services_change_is_told_with_before_and_after(amber: Operator) -> None:
    token = services.add_id_token(operator=amber, value="04a1", group="Vans")
    assert newest(amber).after | {"value": "04a1", "group": "Vans", "status": "Accepted"} == newest(amber).after
    services.change_id_token(token=token, status="Blocked", blocked_because="Lost", note="")
    entry = newest(amber)
    assert entry.before == {"status": "Accepted", "blocked_because": ""}
    assert entry.after == {"status": "Blocked", "blocked_because": "Lost"}
    pk = token.pk
    services.delete_id_token(token=token)
    entry = newest(amber)
    assert (entry.action, entry.object_id, entry.object_label, entry.after) == ("id_token.removed", str(pk), "04a1", {})
    assert entry.before["value"] == "04a1"


def test_an_import_is_told_with_its_counts_and_each_tag_that_it_changed(amber: Operator) -> None:
    services.add_id_token(operator=amber, value="KNOWN", note="blue", group="Vans")
    services.add_id_token(operator=amber, value="SAME", note="red")
    services.import_id_tokens(operator=amber, content=b"value,note\nknown,green\nSAME,red\nNEW,white\n")
    with scope(operator=amber):
        told = list(AuditEntry.objects.order_by("-id")[:3])
    run = next(one for one in told if one.action == "id_token.imported")
    assert run.after == {"added": 1, "known": 2}
    known = next(one for one in told if one.action == "id_token.changed")
    assert (known.before, known.after) == ({"note": "blue", "value": "KNOWN"}, {"note": "green", "value": "known"})
    assert [one.object_label for one in told if one.action == "id_token.added"] == ["NEW"]


def test_a_long_import_tells_so_many_tags_and_no_more(amber: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MOST_TOLD", 2)
    services.import_id_tokens(operator=amber, content=b"value\nA\nB\nC\n")
    with scope(operator=amber):
        assert AuditEntry.objects.filter(action="id_token.added").count() == 2


# How it is read


@pytest.mark.parametrize(
    "asked",
    [
        history.Asked(),
        history.Asked(action="site.added"),
        history.Asked(kind="site", thing="7"),
        history.Asked(since=NOW - timedelta(days=2), until=NOW - timedelta(days=1)),
        history.Asked(text="needle", since=NOW - timedelta(days=2)),
    ],
    ids=["all", "action", "thing", "time", "text"],
)
def test_a_look_reads_by_an_index_however_much_there_is(amber: Operator, asked: history.Asked) -> None:
    every = {"operator": amber, "actor_label": "x", "via": "job", "action": "site.added", "object_type": "site"}
    many = [AuditEntry(at=NOW - timedelta(minutes=n), object_id=str(n % 50), **every) for n in range(5000, 0, -1)]
    audit.record_all(many)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_auditentry")
    with scope(operator=amber), CaptureQueriesContext(connection) as made:
        rows, _ = history.History(asked).read(None, 50)
    assert rows or asked.text
    for query in made.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Seq Scan on accounts_auditentry" not in plan, plan
        assert "Sort" not in plan, plan


def test_who_is_asked_for_is_found_by_an_index_too_however_many_drivers_there_are(amber: Operator) -> None:
    with scope(operator=amber), CaptureQueriesContext(connection) as made:
        history.History(history.Asked(person=" ADA@audit.example"))
    (query,) = made.captured_queries
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # of so few rows it would read all
        cursor.execute(f"EXPLAIN {query['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Cond: ((email)::text = " in plan, plan


def test_times_are_found_though_clocks_differ_a_little(amber: Operator) -> None:
    for second in (5, 3, 4, 1, 2):
        audit.record_all([AuditEntry(operator=amber, at=NOW + timedelta(seconds=second), via="job", action=f"at.{second}")])
    with scope(operator=amber):
        found, _ = history.History(history.Asked(since=NOW + timedelta(seconds=2), until=NOW + timedelta(seconds=5))).read(None, 50)
    assert {one.action for one in found} == {"at.2", "at.3", "at.4"}


def test_a_change_that_is_rolled_back_leaves_no_entry(amber: Operator) -> None:
    with transaction.atomic():
        audit.record("operator.changed", amber, operator=amber)
        transaction.set_rollback(True)
    assert newest(amber).action == "operator.added"


@pytest.mark.parametrize("verb", sorted(MAY))
def test_a_driver_may_nothing_that_staff_may_whatever_their_role(amber: Operator, verb: str) -> None:
    dee = User.objects.create_user("dee@audit.example", operator=amber, role=Role.OWNER, kind="driver")
    assert not may(dee, verb)
