"""Making deliveries of what the outbox noted, and sending them: one run at a time in the whole system, for many addresses at once.

A run waits for no address: the calls are made on threads of their own, which know no table, and the run's thread reads and writes
the rows. So many calls at once, and no more; the slow and the failing ones have a part of them only, and so has each operator.
What a run takes in hand is due again soon, so that a run that is killed loses nothing; it may send twice.
"""

import contextlib
import queue
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson
import structlog
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.webhooks import catalogue, outcomes, services, signing
from csms.webhooks.models import OPEN, Webhook, WebhookDelivery, WebhookEvent
from csms.webhooks.sending import Answer, Sender
from stations import outbox
from stations.models import OutboxEntry

log = structlog.get_logger(__name__)

#: Calls at once: all; those of addresses that are slow or failed last; those of one operator; those of one address, and of one
#: that failed last.
SLOTS, SLOW_SLOTS, OPERATOR_SLOTS, SLOTS_EACH, FAILING_EACH = 32, 16, 8, 2, 1
#: An address whose last answer took longer is slow.
SLOW_MS = 1000
#: Deliveries that one thread takes in hand; for how long it begins another; and for how long they are its own.
LANE, LANE_S = 25, 5.0
IN_HAND = timedelta(seconds=60)
#: How often the run looks up from waiting for answers.
LOOK_S, GATHER_S = 0.2, 0.05
#: Answers written down in one transaction, and entries of the outbox made deliveries of. Whatever happens again to one of these
#: waits for the second.
NOTED, TOLD = 100, 20
#: A run that has to end waits so long for answers.
STOP_S = 2.0
LOCK = "csms.webhooks"

#: The addresses that were slow when they were last called from this process.
_slow: set[int] = set()


@dataclass(slots=True)
class Job:
    """A delivery as its thread knows it."""

    id: int
    name: str
    body: bytes


@dataclass(slots=True)
class Lane:
    """One thread's work: some deliveries of one webhook, the oldest first, until one fails or time is up.

    They are its own until `until`.
    """

    webhook: Webhook
    jobs: list[Job]
    until: datetime
    done: "queue.SimpleQueue[Told | Lane]"
    ending: threading.Event
    sender: Sender = field(default_factory=Sender)
    left: list[Job] = field(default_factory=list)

    def run(self) -> None:
        self.left = list(self.jobs)
        began = time.monotonic()
        try:
            while self.left and not self.ending.is_set() and time.monotonic() - began < LANE_S:
                job = self.left.pop(0)
                answer = self._call(job)
                self.done.put(Told(self, job, answer, timezone.now()))
                if not answer.taken:
                    break
        except Exception:
            log.exception("a webhook could not be called", webhook=self.webhook.pk)
        finally:
            self.sender.close()
            self.done.put(self)

    def _call(self, job: Job) -> Answer:
        webhook = self.webhook
        old = webhook.old_secret_until is not None and webhook.old_secret_until > timezone.now()
        if not webhook.secret:
            return Answer(None, "", 0, "Its secret cannot be read: CSMS_STATION_SECRET_KEYS lacks the key. Make a new secret.")
        secrets = [webhook.secret, webhook.old_secret] if old and webhook.old_secret else [webhook.secret]
        signed = signing.headers(name=job.name, at=int(time.time()), body=job.body, secrets=secrets)
        return self.sender.send(webhook.url, job.body, signed)


@dataclass(frozen=True, slots=True)
class Told:
    lane: Lane
    job: Job
    answer: Answer
    at: datetime


def run(stop: threading.Event | None = None) -> int | None:
    """Tell what is due, until nothing is or it is to stop. Returns how many attempts were made; None if another run is at it."""
    with scopes_disabled(), _alone() as alone:
        return _Run(stop or threading.Event()).go() if alone else None


@contextmanager
def _alone() -> Iterator[bool]:
    """Held by the connection, so that it ends with a process that is killed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [LOCK])
        (alone,) = cursor.fetchone()
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [LOCK])


def _ready(now: datetime) -> "QuerySet[Webhook]":
    """The webhooks to which something may be sent now, and is to be."""
    due = WebhookDelivery.objects.filter(webhook=OuterRef("pk"), status__in=OPEN, due_at__lte=now)
    resting = Q(rests_until__isnull=False, rests_until__gt=now)
    return Webhook.objects.filter(~resting, Exists(due), active=True)


class _Run:
    def __init__(self, stop: threading.Event) -> None:
        self.done: queue.SimpleQueue[Told | Lane] = queue.SimpleQueue()
        self.lanes: list[Lane] = []
        self.stop = stop
        self.ending = threading.Event()
        self.attempts = 0

    def go(self) -> int:
        try:
            while not self.stop.is_set():
                told = tell_some()
                for lane in self._new_lanes():
                    self.lanes.append(lane)
                    threading.Thread(target=lane.run, name=f"webhook-{lane.webhook.pk}", daemon=True).start()
                if self.lanes:
                    self._wait()
                elif not told:
                    break
            self.ending.set()
            patience = time.monotonic() + STOP_S
            while self.lanes and time.monotonic() < patience:
                self._wait()
            return self.attempts
        finally:
            # Nobody looks after those any more that are left now.
            self.ending.set()
            for lane in self.lanes:
                lane.sender.abort()

    def _new_lanes(self) -> Iterator[Lane]:
        free = SLOTS - len(self.lanes)
        if free <= 0:
            return
        busy = Counter(lane.webhook.pk for lane in self.lanes)
        operators = Counter(lane.webhook.operator_id for lane in self.lanes)
        slow = sum(_is_slow(lane.webhook) for lane in self.lanes)
        now = timezone.now()
        # Those that work come first; among the others chance is fair.
        for webhook in _ready(now).order_by("failures", "?")[: SLOTS * 2]:
            each = FAILING_EACH if webhook.failures else SLOTS_EACH
            if busy[webhook.pk] >= each or operators[webhook.operator_id] >= OPERATOR_SLOTS:
                continue
            if _is_slow(webhook) and slow >= SLOW_SLOTS:
                continue
            if jobs := take(webhook, now=now):
                slow += _is_slow(webhook)
                operators[webhook.operator_id] += 1
                free -= 1
                yield Lane(webhook, jobs, now + IN_HAND, self.done, self.ending)
                if not free:
                    return

    def _wait(self) -> None:
        """Wait a little for something to come, and write down what has. Several together cost what one does."""
        news: list[Told | Lane] = []
        wait_s = LOOK_S
        with contextlib.suppress(queue.Empty):
            # A thread that is free ends the gathering: there may be more for it.
            while len(news) < NOTED and not any(isinstance(one, Lane) for one in news[-1:]):
                news.append(self.done.get(timeout=wait_s))
                wait_s = GATHER_S
        told = [one for one in news if isinstance(one, Told)]
        if told:
            self.attempts += len(told)
            outcomes.note([(one.lane.webhook.pk, one.job.id, one.answer, one.at) for one in told])
        for one in told:
            (_slow.add if one.answer.ms > SLOW_MS else _slow.discard)(one.lane.webhook.pk)
        for lane in (one for one in news if isinstance(one, Lane)):
            self.lanes.remove(lane)
            put_back(lane.left, lane.until)
        now = time.monotonic()
        for lane in self.lanes:
            lane.sender.abort_if_late(now)


def _is_slow(webhook: Webhook) -> bool:
    return webhook.failures > 0 or webhook.pk in _slow


def tell_some() -> int:
    """Make deliveries of some entries of the outbox. Returns how many entries were looked at."""
    with outbox.claim(services.SUBSCRIBER, limit=TOLD) as entries:
        # All at once and before any entry goes: then a batch that writes one of these again waits for us, and we must wait for
        # nobody, least of all for a change of a webhook, which waits for batches.
        of_them = Webhook.objects.filter(operator__in={entry.operator_id for entry in entries})
        list(of_them.select_for_update().order_by("pk").values_list("pk"))
        for entry in entries:
            with outbox.handling(entry):
                _tell(entry)
    return len(entries)


def _tell(entry: OutboxEntry) -> None:
    kind = catalogue.EVENTS.get(entry.topic)
    webhooks = Webhook.objects.defer("secret", "old_secret").order_by("pk")
    wanting = [webhook for webhook in webhooks if entry.topic in webhook.events]
    payload = kind.payload(entry) if kind and wanting else None
    if payload is None:
        return
    # What is told at the end of an interval is of then.
    at = entry.created_at if entry.attempts else entry.due_at
    event = WebhookEvent.objects.create(operator=entry.operator, type=entry.topic, data=payload, created_at=at)
    services.deliver(event, wanting, due_at=timezone.now())


def take(webhook: Webhook, *, now: datetime) -> list[Job]:
    """Take the webhook's oldest deliveries that are due in hand. To one that fails, one is sent to see."""
    with transaction.atomic():
        due = WebhookDelivery.objects.filter(webhook=webhook, status__in=OPEN, due_at__lte=now).order_by("due_at", "id")
        found = due.select_for_update(skip_locked=True, of=("self",)).select_related("event")
        taken = list(found[: 1 if webhook.failures else LANE])
        WebhookDelivery.objects.filter(pk__in=[one.pk for one in taken]).update(due_at=now + IN_HAND)
    return [Job(one.pk, one.event.name, body_of(one)) for one in taken]


def body_of(delivery: WebhookDelivery) -> bytes:
    """What is sent, the same at each attempt."""
    event = delivery.event
    return orjson.dumps(
        {
            "id": event.name,
            "type": event.type,
            "created_at": event.created_at.isoformat().replace("+00:00", "Z"),
            "sequence": delivery.sequence,
            "data": event.data,
        }
    )


def put_back(jobs: Sequence[Job], until: datetime) -> None:
    """They were in hand and not tried: they are due. Not those that somebody else has taken since."""
    if jobs:
        WebhookDelivery.objects.filter(pk__in=[job.id for job in jobs], due_at=until).update(due_at=timezone.now())
