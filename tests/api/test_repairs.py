"""Doubtful sessions and messages that were not understood, put right by programs."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scope

from accounts.models import AuditEntry
from billing.models import ChargeRecord
from stations.models import Evse, OutboxEntry, RepairMessage, Transaction
from stations.services import registry
from tests.api.conftest import AT, Network, Person, person, sample, transaction
from tests.billing import make


@pytest.fixture
def doubtful(ada: Person, amber: Network) -> Transaction:
    """7.5 kWh up to the last reading, and no stop."""
    with scope(operator=ada.operator):
        fields = {"doubt": "stop_missing", "stopped_at": AT + timedelta(hours=1), "start_key": "k", "meter_start_wh": Decimal(1000)}
        evse = amber.connector.evse
        row = transaction(amber.station, evse, 2, **fields, meter_last_wh=Decimal(8500), meter_last_at=AT + timedelta(hours=1))
        sample(amber.station, row, AT + timedelta(hours=1), "8500")
        return row


def ask(who: Person, row: Transaction, **body: Any) -> Any:
    return who.client.post(f"/api/v1/transactions/{row.pk}/repair/", body, content_type="application/json")


CLOSE = {"fix": "close", "stopped_at": "2026-11-20T13:30:00Z", "meter_stop_wh": 9000, "reason": "Read from the meter"}


def test_a_session_is_put_right_once_however_often_it_is_asked(ada: Person, doubtful: Transaction) -> None:
    first, second = ask(ada, doubtful, **CLOSE), ask(ada, doubtful, **CLOSE)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    made = first.json()
    assert (made["fix"], made["transaction"], made["made_by"]) == ("close", doubtful.pk, "ada@example.org")
    row = ada.client.get(f"/api/v1/transactions/{doubtful.pk}/").json()
    assert (row["doubt"], row["energy_wh"], row["stopped_at"]) == ("", 8000, "2026-11-20T13:30:00.000000Z")
    with scope(operator=ada.operator):
        assert OutboxEntry.objects.filter(topic="transaction_ended", object_id=doubtful.pk).count() == 1
        assert AuditEntry.objects.get(action="transaction.repaired").actor_label.startswith("ada@example.org (key ")
    assert [one["id"] for one in ada.client.rows(f"transactions/{doubtful.pk}/repair/")] == [made["id"]]


def test_it_is_undone_until_it_is_billed(ada: Person, amber: Network, doubtful: Transaction) -> None:
    assert ask(ada, doubtful, fix="undo").status_code == 409
    assert ask(ada, doubtful, fix="recalculate", method="span").status_code == 201
    assert ask(ada, doubtful, fix="undo").json()["undone_at"]
    assert ada.client.get(f"/api/v1/transactions/{doubtful.pk}/").json()["doubt"] == "stop_missing"
    ask(ada, doubtful, fix="accept")
    with scope(operator=ada.operator):
        record = ChargeRecord.objects.filter(revision=1).get()
        record.pk, record.transaction = None, doubtful
        record.save(force_insert=True)
    answer = ask(ada, doubtful, fix="undo")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "This session has been billed, so it cannot be changed any more.",
    )


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"fix": "guess"}, 400, "fix"),
        ({"fix": "close"}, 400, "stopped_at"),
        ({"fix": "close", "stopped_at": "2026-11-20T13:30:00Z", "meter_stop_wh": 9000}, 400, "reason"),
        ({**CLOSE, "meter_stop_wh": 10}, 400, "meter_stop_wh"),
        ({**CLOSE, "method": "span"}, 400, "method"),
        ({"fix": "recalculate"}, 400, "method"),
        ({"fix": "attach"}, 400, "stop"),
        ({"fix": "attach", "stop": 2**60}, 404, None),
        ({"fix": "accept", "colour": "red"}, 400, ""),
    ],
)
def test_what_makes_no_sense_is_told_by_its_field(
    ada: Person, doubtful: Transaction, body: dict[str, Any], status: int, field: str | None
) -> None:
    answer = ask(ada, doubtful, **body)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert field is None or field in answer.json()["errors"]


def test_who_may_put_sessions_right(ada: Person, ben: Person, doubtful: Transaction) -> None:
    for role, status in (("viewer", 403), ("technician", 403), ("finance", 201)):
        who = ben if role == "viewer" else person(f"the.{role}", ada.operator, role)
        assert ask(who, doubtful, fix="write_off", reason="Lost").status_code == status, role
    assert ask(ada, doubtful, fix="accept").status_code == 409


def test_a_trusted_session_is_left_alone(ada: Person, amber: Network) -> None:
    with scope(operator=ada.operator):
        other, _password = registry.add_station(operator=ada.operator, identity="AMBER-88")
        Evse.objects.create(station=other, number=1)
        trusted = make.transaction(other)
    assert ask(ada, trusted, fix="write_off", reason="Lost").status_code == 409


def test_a_billed_session_is_put_right_with_a_reason(ada: Person, amber: Network) -> None:
    assert ask(ada, amber.transaction, fix="accept").status_code == 409
    assert ask(ada, amber.transaction, fix="write_off").status_code == 400
    assert ask(ada, amber.transaction, fix="write_off", reason="Free of charge").status_code == 201
    with scope(operator=ada.operator):
        assert OutboxEntry.objects.filter(topic="transaction_ended", object_id=amber.transaction.pk).exists()


def test_a_message_is_played_or_thrown_away_once(ada: Person, amber: Network) -> None:
    with scope(operator=ada.operator):
        message = RepairMessage.objects.get()
    (row,) = ada.client.rows("repair-messages/", open="true")
    assert (row["id"], row["resolution"], row["resolved_at"]) == (message.pk, "", None)
    address = f"/api/v1/repair-messages/{message.pk}"
    bad = ada.client.post(f"{address}/play/", {"payload": {"meterStop": "many"}}, content_type="application/json")
    assert (bad.status_code, "transactionId" in bad.json()["detail"]) == (400, True)
    payload = {"transactionId": 1, "meterStop": 5000, "timestamp": "2026-11-20T10:00:00Z", "idTag": "CARD"}
    played = ada.client.post(f"{address}/play/", {"payload": payload, "reason": "By hand"}, content_type="application/json")
    assert (played.status_code, played.json()["resolution"], played.json()["note"]) == (200, "played", "By hand")
    for door, body in (("play", {"payload": payload}), ("discard", {"reason": "Twice"})):
        again = ada.client.post(f"{address}/{door}/", body, content_type="application/json")
        assert again.status_code == 409, again.content
    assert ada.client.rows("repair-messages/", open="true") == []
    with scope(operator=ada.operator):
        assert Transaction.objects.get(doubt="start_missing").meter_stop_wh == 5000


def test_findings_are_narrowed_by_make_and_firmware(ada: Person, amber: Network) -> None:
    with scope(operator=ada.operator):
        type(amber.station).objects.filter(pk=amber.station.pk).update(vendor="Alfen", model="Eve", firmware_version="2.0")
    for name, value in (("vendor", "Alfen"), ("model", "Eve"), ("firmware", "2.0")):
        assert len(ada.client.rows("findings/", **{name: value})) == 1
        assert ada.client.rows("findings/", **{name: "Other"}) == []
