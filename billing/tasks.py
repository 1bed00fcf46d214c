"""Jobs of billing."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from celery import shared_task
from django.db import DatabaseError, transaction
from django.utils import timezone
from django_scopes import scopes_disabled

from billing import meterkeys, pricepoints, rebilling, receipts, services, signedchecks
from stations import outbox, ports
from stations.models import OutboxEntry
from stations.services import signedreadings
from stations.services.afterwards import ENDED_TOPIC

#: Entries a transaction: few enough that it is short, many enough that its commit does not count.
CLAIM = 100
#: Of signed readings fewer: whoever finds something holds up the station until the transaction is over.
CHECKED = 10
#: A run ends after so many claims; what is left is for the next one, so that no run meets the task's time limit.
MAX_CLAIMS = 100
#: A session of which something signed came is billed after that was checked; should the check fail, after so long.
CHECKED_FIRST = timedelta(minutes=2)


@shared_task
def make_charge_records() -> int:
    """Make the charge records of the transactions that ended. Returns how many entries of the outbox were looked at.

    1. Claim the oldest entries that are due; another worker skips those. Put off those whose signed readings are not checked yet:
       the check makes them due.
    2. Make their records together and delete the entries, both or neither; note what could not be priced and when to try again.
    3. Should that fail as a whole, handle each alone.
    4. Commit, and tell the live pages.
    5. Again, until nothing is due; after many rounds, call for another run instead.

    Safe when run twice, at once, or killed: entries and records change in one transaction, and a record's key is unique.
    """
    looked_at = 0
    for _ in range(MAX_CLAIMS):
        count = _make_some()
        looked_at += count
        if count < CLAIM:
            return looked_at
    ports.bell.work(services.SUBSCRIBER)
    return looked_at


@shared_task
def advance_rebillings() -> int:
    """Bring re-billings on (see `billing.rebilling`). Returns how many pieces were done.

    1. Take those that are due, one after the other; one that another worker has is left to it.
    2. Do pieces of a hundred or two records, each a transaction of its own that says how far it came.
    3. After many pieces, call for another run instead.

    Safe when run twice, at once, or killed.
    """
    pieces = 0
    for pk in rebilling.due():
        while rebilling.advance(pk):
            pieces += 1
            if pieces >= rebilling.MOST_CHUNKS:
                ports.bell.work(rebilling.SUBSCRIBER)
                return pieces
    return pieces


def _make_some() -> int:
    billed: defaultdict[int, list[int]] = defaultdict(list)
    with outbox.claim(services.SUBSCRIBER, limit=CLAIM) as claimed:
        entries = _without_unchecked(claimed)
        try:
            with outbox.handling_all(entries) as failed:
                made = services.make_charge_records(transaction_ids=[entry.object_id for entry in entries])
                failed |= {entry.pk: why for entry in entries if isinstance(why := made[entry.object_id], Exception)}
        except DatabaseError:
            made = {}
            for entry in entries:
                with outbox.handling(entry):
                    made[entry.object_id] = services.make_charge_record(transaction_id=entry.object_id)
        for entry in entries:
            if made.get(entry.object_id) is True:
                billed[entry.operator_id].append(entry.object_id)
        for operator_id, pks in billed.items():
            transaction.on_commit(partial(ports.bell.changed, operator_id, stations=[], transactions=pks))
    return len(claimed)


def _without_unchecked(claimed: Sequence[OutboxEntry]) -> list[OutboxEntry]:
    """Puts off those of sessions that a check of what their meters signed may still put in doubt; returns the others."""
    until = timezone.now() + CHECKED_FIRST
    with scopes_disabled():
        found = OutboxEntry.objects.filter(topic=signedreadings.TOPIC, subscriber=meterkeys.SUBSCRIBER)
        found = found.filter(object_id__in=[entry.object_id for entry in claimed], created_at__gte=timezone.now() - CHECKED_FIRST)
        waits = set(found.values_list("object_id", flat=True))
        OutboxEntry.objects.filter(pk__in=[entry.pk for entry in claimed if entry.object_id in waits]).update(due_at=until)
    return [entry for entry in claimed if entry.object_id not in waits]


def _bill_checked(transaction_ids: Sequence[int]) -> None:
    """What was put off for a check that is over is due, and billing hears of it."""
    with scopes_disabled():
        ended = OutboxEntry.objects.filter(topic=ENDED_TOPIC, subscriber=services.SUBSCRIBER, object_id__in=transaction_ids)
        if ended.filter(error="", due_at__gt=timezone.now()).update(due_at=timezone.now()):
            ports.bell.work(services.SUBSCRIBER)


@shared_task
def let_go_of_prices() -> int:
    """Delete the market's prices that are older than their term. Safe when run twice, or killed."""
    return pricepoints.let_go(now=timezone.now())


@shared_task
def check_signed_readings() -> int:
    """Check what meters signed of transactions. Returns how many entries of the outbox were looked at.

    1. Claim the oldest entries that are due; another worker skips those.
    2. For each, check the signatures and compare, and delete the entry, both or neither.
    3. Again, until nothing is due; after many rounds, call for another run instead.

    Safe when run twice, at once, or killed: a check says the same however often it is made.
    """
    looked_at = 0
    for _ in range(MAX_CLAIMS * 10):
        checked: defaultdict[int, list[int]] = defaultdict(list)
        with outbox.claim(meterkeys.SUBSCRIBER, limit=CHECKED) as entries:
            for entry in entries:
                with outbox.handling(entry):
                    if signedchecks.check_transaction(transaction_id=entry.object_id):
                        checked[entry.operator_id].append(entry.object_id)
            for operator_id, pks in checked.items():
                transaction.on_commit(partial(ports.bell.changed, operator_id, stations=[], transactions=pks))
        _bill_checked([entry.object_id for entry in entries])
        looked_at += len(entries)
        if len(entries) < CHECKED:
            return looked_at
    ports.bell.work(meterkeys.SUBSCRIBER)
    return looked_at


@shared_task
def make_receipts() -> int:
    """Give the charge records that were made their receipts and numbers. Returns how many entries of the outbox were looked at.

    Rounds as those of `make_charge_records`. An operator's receipts come together, and the operators in their order, so that two
    workers never wait for each other.
    """
    looked_at = 0
    for _ in range(MAX_CLAIMS):
        count = _issue_some()
        looked_at += count
        if count < CLAIM:
            return looked_at
    ports.bell.work(receipts.SUBSCRIBER)
    return looked_at


def _issue_some() -> int:
    issued: defaultdict[int, list[int]] = defaultdict(list)
    with outbox.claim(receipts.SUBSCRIBER, limit=CLAIM) as entries:
        for entry in sorted(entries, key=lambda one: (one.operator_id, one.object_id)):
            with outbox.handling(entry):
                receipt = receipts.make_receipt(record_id=entry.object_id)
                if receipt is not None:
                    issued[entry.operator_id].append(receipt.record.transaction_id)
        for operator_id, pks in issued.items():
            transaction.on_commit(partial(ports.bell.changed, operator_id, stations=[], transactions=pks))
    return len(entries)
