"""Putting right by hand what the rules could not: sessions that are doubted, and messages that nobody understood.

Every fix is a batch of one: it waits for the station's messages that are under way and makes those that follow see what it did.
What a fix changed is kept (`Repair`), with a finding on the session, and can be undone until the session is billed. One that was
billed can be put right again: whoever bills it takes the old charge back and makes a new one.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.db import transaction as db
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from stations import ports, topics
from stations.batch import Batch, of_one
from stations.domain.values import Doubt, Note
from stations.models import MeterSample, OutboxEntry, Repair, RepairMessage, Transaction
from stations.services import afterwards, transactions
from stations.services.repairplans import AROUND, STATE, Plan, kept, plan, read, state_of

#: Fixes after which somebody will ask why.
EXPLAINED = ("close", "write_off")
FINDING = "repaired"
#: What the audit tells of a session.
TOLD = ("status", "doubt", "started_at", "stopped_at", "meter_start_wh", "meter_stop_wh", "energy_wh")

# What is there already of the same moment stays where it is.
MOVE = """
UPDATE stations_metersample AS m SET transaction_id = %(to)s
WHERE m.station_id = %(station)s AND m.owner = %(orphan)s AND m.at BETWEEN %(since)s AND %(until)s AND NOT EXISTS (
    SELECT FROM stations_metersample k
    WHERE k.station_id = m.station_id AND k.at = m.at AND k.owner = %(to)s AND k.context = m.context)
RETURNING m.id
"""


def repair(
    *,
    transaction: Transaction,
    fix: str,
    params: Mapping[str, Any],
    orphan: Transaction | None = None,
    seen: str = "",
    user: User | None = None,
    reason: str = "",
) -> Repair:
    """Put a session right. The same fix once more changes nothing and returns the first.

    `fix`: "close", "recalculate", "accept", "write_off", with the `params` that `repairplans.plan` takes; or "attach", with the
    `orphan` whose stop it is. `seen`: the `state_of` it that the person looked at. Raises ValidationError if the fix makes no
    sense, or if something else has happened to the session meanwhile (code STATE).
    """
    reason = reason.strip()[:200]
    now = timezone.now()
    with of_one(transaction.station_id, now=now) as batch:
        t = _locked(transaction.pk)
        stop = _locked(orphan.pk) if orphan is not None else None
        if known := _same(t, fix, params, stop):
            known.repeated = True
            return known
        if seen and seen != state_of(t):
            words = _("The session has changed since you looked at it, and nothing was done. Look again.")
            raise ValidationError(words, code=STATE)
        made, billed = plan(t, fix, orphan=stop, params=params), ports.billed(t.pk)
        if (billed or fix in EXPLAINED) and not reason:
            raise ValidationError({"reason": _("Say why: whoever looks at the bill will ask.")})
        before = {name: getattr(t, name) for name in made.values}
        row = Repair(operator_id=t.operator_id, transaction=t, orphan=stop, fix=fix, params=made.params)
        row.before, row.after, row.reason, row.made_by, row.made_at = kept(before), kept(made.values), reason, user, now
        _change(batch, t, made, _sentence(fix, stop, reason), billed=billed)
        if stop is not None:
            row.moved = _take_in(batch, t, stop)
        row.save(force_insert=True)
        audit.record(
            "transaction.repaired",
            t,
            operator=t.operator_id,
            label=_label(t),
            before={name: value for name, value in before.items() if name in TOLD},
            after={"fix": fix} | {name: value for name, value in made.values.items() if name in TOLD},
            note=reason,
        )
    return row


def undo(*, transaction: Transaction, reason: str = "") -> Repair:
    """Take the newest fix of a session back. Raises ValidationError if there is none, or if it was billed or changed since."""
    now = timezone.now()
    with of_one(transaction.station_id, now=now) as batch:
        t = _locked(transaction.pk)
        row = Repair.objects.filter(transaction=t, undone_at=None).select_related("orphan").order_by("-id").first()
        if row is None:
            raise ValidationError(_("Nothing was put right here that could be undone."), code=STATE)
        # First, so that a job which is about to bill it has done so, or never will.
        OutboxEntry.objects.filter(topic=afterwards.ENDED_TOPIC, object_id=t.pk).delete()
        if ports.billed(t.pk):
            raise ValidationError(_("This session has been billed, so it cannot be changed any more."), code=STATE)
        before, after = read(row.before), read(row.after)
        if any(getattr(t, name) != value for name, value in after.items()):
            raise ValidationError(_("The session has changed since then, so this cannot be undone."), code=STATE)
        batch.change(Transaction, t.pk, **before)
        batch.note(Note(FINDING, "undo", f"What was done is undone ({row.fix}). {reason}".strip()), t.pk)
        batch.tell(topics.TRANSACTION_ENDED, t.pk)
        batch.touch(transaction_id=t.pk)
        if before.get("doubt") == Doubt.NONE:
            # It was billed before it was written off.
            batch.publish(afterwards.ENDED_TOPIC, t.pk)
        if row.orphan is not None:
            _let_out(batch, row)
        row.undone_at = now
        row.save(update_fields=["undone_at"])
        told = {name: value for name, value in before.items() if name in TOLD}
        was = {name: value for name, value in after.items() if name in TOLD}
        label = _label(t)
        audit.record("transaction.repair_undone", t, operator=t.operator_id, label=label, before=was, after=told, note=reason)
    return row


def discard(*, message: RepairMessage, reason: str) -> None:
    """A message that nobody understood is not needed. Raises ValidationError without a reason, or if it was resolved before."""
    reason = reason.strip()[:200]
    if not reason:
        raise ValidationError({"reason": _("Say why: a message of a session may hold energy.")})
    with db.atomic():
        resolve(message=message, resolution="discarded", reason=reason)
        operator_id, station_id = message.operator_id, message.station_id
        db.on_commit(partial(ports.bell.changed, operator_id, stations=[station_id], transactions=[]))


def resolve(*, message: RepairMessage, resolution: str, reason: str) -> None:
    """Exactly once, in the transaction of whoever does it. `resolution`: "played" or "discarded"."""
    locked = RepairMessage.objects.select_for_update(of=("self",)).get(pk=message.pk)
    if locked.resolved_at is not None:
        raise ValidationError(_("Somebody else has resolved this message meanwhile."), code=STATE)
    locked.resolved_at, locked.resolution, locked.note = timezone.now(), resolution, reason.strip()[:200]
    locked.save(update_fields=["resolved_at", "resolution", "note"])
    audit.record(
        "repair_message.resolved",
        locked,
        operator=locked.operator_id,
        before={"resolution": None},
        after={"resolution": resolution},
        note=locked.note,
    )


def _locked(pk: int) -> Transaction:
    return Transaction.objects.select_for_update(of=("self",)).get(pk=pk)


def _label(t: Transaction) -> str:
    return f"session {t.pk}"


def _same(t: Transaction, fix: str, params: Mapping[str, Any], stop: Transaction | None) -> Repair | None:
    """The newest fix, if it is this one: a form that is sent twice, a program that asks again."""
    newest = Repair.objects.filter(transaction=t, undone_at=None).order_by("-id").first()
    if newest is None or newest.fix != fix:
        return None
    asked = kept({name: value for name, value in params.items() if value is not None}) | ({"stop": stop.pk} if stop else {})
    return newest if newest.params == asked else None


def _sentence(fix: str, stop: Transaction | None, reason: str) -> str:
    """For the finding, which keeps what belongs together."""
    what = {
        "close": "Start and end were set by hand.",
        "recalculate": "The energy was counted anew from the registers.",
        "accept": "It was accepted as it is.",
        "write_off": "It was written off.",
    }.get(fix, "")
    if stop is not None:
        what = f"The stop of session {stop.pk} ({stop.ocpp_transaction_id}) was attached."
    return f"{what} {reason}".strip()


def _change(batch: Batch, t: Transaction, made: Plan, sentence: str, *, billed: bool) -> None:
    was_open = batch.station.open.get(t.ocpp_transaction_id)
    if was_open is not None:
        transactions.close(batch, was_open, made.stopped_at, made.values.get("meter_stop_wh"), made.doubt)
    else:
        batch.tell(topics.TRANSACTION_ENDED, t.pk)
    batch.change(Transaction, t.pk, **made.values)
    # Of one that was billed the charge is taken back, and another made if it is still billed.
    if made.doubt is Doubt.NONE or billed:
        batch.publish(afterwards.ENDED_TOPIC, t.pk)
    batch.note(Note(FINDING, "", sentence), t.pk)
    batch.touch(transaction_id=t.pk)


def _take_in(batch: Batch, t: Transaction, stop: Transaction) -> list[int]:
    """The stop was that of the session: its samples go there, and what it stood as waits no more. Returns the samples."""
    batch.change(Transaction, stop.pk, doubt=Doubt.SET_ASIDE.value)
    batch.note(Note(FINDING, "", f"It was the stop of session {t.pk} ({t.ocpp_transaction_id}), to which it went."), stop.pk)
    batch.tell(topics.TRANSACTION_ENDED, stop.pk)
    batch.touch(transaction_id=stop.pk)
    assert stop.stopped_at is not None
    with connection.cursor() as cursor:
        given = {"to": t.pk, "orphan": stop.pk, "station": t.station_id}
        cursor.execute(MOVE, given | {"since": stop.started_at - AROUND, "until": stop.stopped_at + AROUND})
        return [pk for (pk,) in cursor.fetchall()]


def _let_out(batch: Batch, row: Repair) -> None:
    """The stop stands alone again, with the samples it brought."""
    stop = row.orphan
    assert stop is not None
    assert stop.stopped_at is not None
    batch.change(Transaction, stop.pk, doubt=Doubt.START_MISSING.value)
    batch.tell(topics.TRANSACTION_ENDED, stop.pk)
    batch.touch(transaction_id=stop.pk)
    found = MeterSample.objects.filter(station_id=stop.station_id, transaction=row.transaction_id, pk__in=row.moved)
    found.filter(at__gte=stop.started_at - AROUND, at__lte=stop.stopped_at + AROUND).update(transaction_id=stop.pk)
