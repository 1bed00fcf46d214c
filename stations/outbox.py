"""The outbox: what follows from a batch, written in its transaction, and acted on by jobs, whatever happens in between.

A batch adds `entries(...)`, one for each subscriber of the topic. A subscriber's job claims those that are due and handles
each; a bell wakes the job, a sweep finds what a missed bell left. Some subscribe for every network, at import (`subscribe`),
some for that of one operator, in a table (`want`): what a batch tells to those alone goes by `Batch.tell`. Outside a batch
`tell` is for both.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts.models import Operator
from stations import flush
from stations.models import OutboxEntry, Subscription

FIRST_DELAY = timedelta(seconds=15)
LONGEST_DELAY = timedelta(hours=1)

log = structlog.get_logger(__name__)
_subscribers: dict[str, list[str]] = {}


class NotYet(Exception):
    """An entry cannot be handled until what the message says has changed. It is kept, with the message as its error."""


def subscribe(topic: str, subscriber: str) -> None:
    """Called at import. From then on every entry of the topic is written for this subscriber too."""
    subscribers = _subscribers.setdefault(topic, [])
    if subscriber in subscribers:
        raise ValueError(f"{subscriber!r} is subscribed to {topic!r} already.")
    subscribers.append(subscriber)


def entries(topic: str, operator_id: int, object_id: int, now: datetime) -> list[dict[str, object]]:
    """The rows (column: value) that tell the topic's subscribers about an object, due now. A row that exists already is enough."""
    return [
        {
            "operator_id": operator_id,
            "topic": topic,
            "subscriber": subscriber,
            "object_id": object_id,
            "created_at": now,
            "due_at": now,
            "attempts": 0,
            "error": "",
        }
        for subscriber in _subscribers.get(topic, [])
    ]


#: Every process loads the states of an operator's stations anew. In the order in which batches lock them.
BUMP = """
WITH locked AS (
    SELECT station_id FROM stations_connection WHERE operator_id = %s ORDER BY station_id FOR NO KEY UPDATE
)
UPDATE stations_connection AS c SET state_version = state_version + 1 FROM locked WHERE locked.station_id = c.station_id
"""
TELL = """
INSERT INTO stations_outboxentry (operator_id, topic, subscriber, object_id, facts, created_at, due_at, attempts, error)
SELECT v.operator_id, %(topic)s, who.subscriber, COALESCE(v.object_id, nextval('stations_outboxentry_id_seq')), v.facts,
       %(now)s, %(now)s, 0, ''
FROM unnest(%(operators)s::bigint[], %(objects)s::bigint[], %(facts)s::jsonb[]) AS v(operator_id, object_id, facts)
JOIN LATERAL (
    SELECT s.subscriber FROM stations_subscription s WHERE s.operator_id = v.operator_id AND s.topic = %(topic)s
    UNION SELECT unnest(%(always)s::text[])
) AS who ON true
ON CONFLICT (topic, subscriber, object_id) DO NOTHING
RETURNING subscriber
"""


def want(subscriber: str, topics: Collection[str], *, operator: Operator) -> None:
    """From now on exactly these topics are told to the subscriber for the operator's network."""
    with scope(operator=operator), transaction.atomic():
        # One change of an operator's wishes at a time.
        Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
        wishes = Subscription.objects.filter(subscriber=subscriber)
        known = set(wishes.values_list("topic", flat=True))
        if known == set(topics):
            return
        with connection.cursor() as cursor:
            cursor.execute(BUMP, [operator.pk])
        wishes.exclude(topic__in=topics).delete()
        new = sorted(set(topics) - known)
        Subscription.objects.bulk_create(Subscription(operator=operator, topic=topic, subscriber=subscriber) for topic in new)


#: Operator, object (None: it may happen again before it was told) and facts.
Happening = tuple[int, int | None, Mapping[str, Any] | None]


def tell(cursor: Any, topic: str, happenings: Sequence[Happening], *, now: datetime) -> set[str]:
    """Outside a batch: the rows for those who subscribed to the topic, for these operators' networks or every, in the cursor's
    transaction.

    Returns whom to ring after the commit; whom nobody rings finds them with the next sweep.
    """
    operators, objects, facts = (flush.array(column) for column in zip(*happenings, strict=True))
    always = _subscribers.get(topic, [])
    cursor.execute(TELL, {"topic": topic, "now": now, "operators": operators, "objects": objects, "facts": facts, "always": always})
    return {subscriber for (subscriber,) in cursor.fetchall()}


@contextmanager
def claim(subscriber: str, *, limit: int) -> Iterator[list[OutboxEntry]]:
    """The subscriber's oldest entries that are due, for the length of one transaction: no other worker sees them meanwhile.

    Handle each in `with handling(entry)`. A worker that dies leaves them as they were. Keep `limit` small: whoever wants to
    change a claimed row waits for the transaction's end.
    """
    with transaction.atomic():
        with scopes_disabled():
            due = OutboxEntry.objects.filter(subscriber=subscriber, due_at__lte=timezone.now()).order_by("due_at", "id")
            claimed = list(due.select_related("operator").select_for_update(skip_locked=True, of=("self",))[:limit])
        yield claimed


@contextmanager
def handling(entry: OutboxEntry) -> Iterator[None]:
    """Do one claimed entry's work, in its operator's scope: done, and the entry is gone; or undone, and it is due again later.

    The delay doubles with each attempt, up to an hour.
    """
    with scope(operator=entry.operator):
        try:
            with transaction.atomic():
                # First, so that whoever writes the entry again from now on waits for us, and is not content with this one.
                OutboxEntry.objects.filter(pk=entry.pk).delete()
                yield
        except Exception as error:
            _put_off(entry, error)
            entry.save(update_fields=["error", "due_at", "attempts"])


@contextmanager
def handling_all(entries: Sequence[OutboxEntry]) -> Iterator[dict[int, Exception]]:
    """The same for all that was claimed, together and in no scope: why one could not be done is put under its key.

    If the work itself raises, nothing of it is done, and the entries are as they were.
    """
    failed: dict[int, Exception] = {}
    with scopes_disabled(), transaction.atomic():
        OutboxEntry.objects.filter(pk__in=[entry.pk for entry in entries]).delete()
        yield failed
        back = [entry for entry in entries if entry.pk in failed]
        for entry in back:
            _put_off(entry, failed[entry.pk])
        OutboxEntry.objects.bulk_create(back)


def _put_off(entry: OutboxEntry, error: Exception) -> None:
    entry.error = str(error) if isinstance(error, NotYet) else f"{type(error).__name__}: {error}"
    entry.due_at = timezone.now() + min(FIRST_DELAY * 2 ** min(entry.attempts, 10), LONGEST_DELAY)
    entry.attempts += 1
    about = {"topic": entry.topic, "subscriber": entry.subscriber, "object_id": entry.object_id, "attempts": entry.attempts}
    if isinstance(error, NotYet):
        log.info("outbox entry waits", reason=entry.error, **about)
    else:
        log.error("outbox entry failed", exc_info=error, **about)


def wake(subscriber: str, *, operator_id: int) -> None:
    """Make the operator's entries that wait for another attempt due now: what they waited for may have come."""
    with scopes_disabled():
        OutboxEntry.objects.filter(subscriber=subscriber, operator_id=operator_id, attempts__gt=0).update(due_at=timezone.now())


def late_since(before: datetime) -> datetime | None:
    """The oldest moment at which an entry was due, if that is before `before`: the jobs have fallen behind since then."""
    subscribers = {subscriber for names in _subscribers.values() for subscriber in names}
    with scopes_disabled():
        subscribers |= set(Subscription.objects.order_by().values_list("subscriber", flat=True).distinct())
        late = [
            OutboxEntry.objects.filter(subscriber=subscriber, due_at__lt=before).order_by("due_at").first()
            for subscriber in subscribers
        ]
    return min((entry.due_at for entry in late if entry is not None), default=None)
