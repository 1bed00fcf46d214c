"""Jobs of billing."""

from collections import defaultdict
from functools import partial

from celery import shared_task
from django.db import transaction

from billing import receipts, services
from stations import outbox, ports

#: Entries a transaction: few enough that it is short, many enough that its commit does not count.
CLAIM = 100
#: A run ends after so many claims; what is left is for the next one, so that no run meets the task's time limit.
MAX_CLAIMS = 100


@shared_task
def make_charge_records() -> int:
    """Make the charge records of the transactions that ended. Returns how many entries of the outbox were looked at.

    1. Claim the oldest entries that are due; another worker skips those.
    2. For each, make the record and delete the entry, both or neither; or note what went wrong and when to try again.
    3. Commit, and tell the live pages.
    4. Again, until nothing is due; after many rounds, call for another run instead.

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


def _make_some() -> int:
    billed: defaultdict[int, list[int]] = defaultdict(list)
    with outbox.claim(services.SUBSCRIBER, limit=CLAIM) as entries:
        for entry in entries:
            with outbox.handling(entry):
                if services.make_charge_record(transaction_id=entry.object_id):
                    billed[entry.operator_id].append(entry.object_id)
        for operator_id, pks in billed.items():
            transaction.on_commit(partial(ports.bell.changed, operator_id, stations=[], transactions=pks))
    return len(entries)


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
