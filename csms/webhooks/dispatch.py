"""Making deliveries of what the outbox noted, and sending them: one run at a time in the whole system, for many addresses at once.

A run uses one worker process, however slow the addresses are: the calls are made on threads of its own, which know no table, and
this module's own thread reads and writes the rows. What a run takes in hand is due again soon, so that a run that is killed
loses nothing; it may send twice.
"""

import contextlib
import queue
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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

#: A run begins nothing new after so long, so that other jobs have their turn; what is left is for the next one.
BUDGET_S = 10.0
#: Calls at once, those of addresses that failed last among them, and those of one address: failing ones take one at a time.
SLOTS, FAILING_SLOTS, SLOTS_EACH = 16, 8, 2
#: Deliveries that one thread takes in hand, and for how long they are its own. Longer than a thread can take for them.
LANE = 25
IN_HAND = timedelta(seconds=60)
#: How often the run looks up from waiting for answers.
LOOK_S, GATHER_S = 0.2, 0.05
CLAIM = 100
LOCK = "csms.webhooks"


@dataclass(slots=True)
class Job:
    """A delivery as its thread knows it. `due_at` is when it was due before it was taken in hand."""

    id: int
    name: str
    body: bytes
    due_at: datetime


@dataclass(slots=True)
class Lane:
    """One thread's work: some deliveries of one webhook, the oldest first, until one fails or time is up."""

    webhook: Webhook
    jobs: list[Job]
    done: "queue.SimpleQueue[Told | Lane]"
    ending: threading.Event
    sender: Sender = field(default_factory=Sender)
    left: list[Job] = field(default_factory=list)

    def run(self) -> None:
        self.left = list(self.jobs)
        try:
            while self.left and not self.ending.is_set():
                job = self.left.pop(0)
                at = int(time.time())
                signed = signing.headers(name=job.name, at=at, body=job.body, secrets=self._secrets())
                answer = self.sender.send(self.webhook.url, job.body, signed)
                self.done.put(Told(self, job, answer, timezone.now()))
                if not answer.taken:
                    break
        except Exception:
            log.exception("a webhook could not be called", webhook=self.webhook.pk)
        finally:
            self.sender.close()
            self.done.put(self)

    def _secrets(self) -> list[str]:
        webhook = self.webhook
        old = webhook.old_secret_until is not None and webhook.old_secret_until > timezone.now()
        return [webhook.secret, webhook.old_secret] if old else [webhook.secret]


@dataclass(frozen=True, slots=True)
class Told:
    lane: Lane
    job: Job
    answer: Answer
    at: datetime


def run() -> int | None:
    """Tell what is due. Returns how many attempts were made; None if another run is at it, anywhere."""
    with scopes_disabled(), _alone() as alone:
        return _Run().go() if alone else None


def anything_due() -> bool:
    """Whether there is something that a run could do now."""
    now = timezone.now()
    with scopes_disabled():
        entries = OutboxEntry.objects.filter(subscriber=services.SUBSCRIBER, due_at__lte=now)
        return entries.exists() or _ready(now).exists()


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
    def __init__(self) -> None:
        self.done: queue.SimpleQueue[Told | Lane] = queue.SimpleQueue()
        self.lanes: list[Lane] = []
        self.ending = threading.Event()
        self.attempts = 0

    def go(self) -> int:
        until = time.monotonic() + BUDGET_S
        with ThreadPoolExecutor(SLOTS, thread_name_prefix="webhook") as pool:
            try:
                while True:
                    told = 0
                    if time.monotonic() < until:
                        told = tell_some()
                        for lane in self._new_lanes():
                            self.lanes.append(lane)
                            pool.submit(lane.run)
                    else:
                        self.ending.set()
                    if self.lanes:
                        self._wait()
                    elif not told:
                        return self.attempts
            finally:
                # Nobody looks after those any more that are left now, because writing failed.
                self.ending.set()
                for lane in self.lanes:
                    lane.sender.abort()

    def _new_lanes(self) -> list[Lane]:
        free = SLOTS - len(self.lanes)
        busy = Counter(lane.webhook.pk for lane in self.lanes)
        failing = sum(lane.webhook.failures > 0 for lane in self.lanes)
        now = timezone.now()
        begun: list[Lane] = []
        # Those that work come first; among the others chance is fair.
        for webhook in _ready(now).order_by("failures", "?")[: SLOTS * 4] if free > 0 else ():
            slow = webhook.failures > 0
            if len(begun) >= free or busy[webhook.pk] >= (1 if slow else SLOTS_EACH) or (slow and failing >= FAILING_SLOTS):
                continue
            jobs = take(webhook, now=now)
            if jobs:
                failing += slow
                begun.append(Lane(webhook, jobs, self.done, self.ending))
        return begun

    def _wait(self) -> None:
        """Wait a little for something to come, and write down what has. Several together cost what one does."""
        news: list[Told | Lane] = []
        wait_s = LOOK_S
        with contextlib.suppress(queue.Empty):
            # A thread that is free ends the gathering: there may be more for it.
            while len(news) < CLAIM and not any(isinstance(one, Lane) for one in news[-1:]):
                news.append(self.done.get(timeout=wait_s))
                wait_s = GATHER_S
        told = [one for one in news if isinstance(one, Told)]
        if told:
            self.attempts += len(told)
            outcomes.note([(one.lane.webhook.pk, one.job.id, one.answer, one.at) for one in told])
        for lane in (one for one in news if isinstance(one, Lane)):
            self.lanes.remove(lane)
            put_back(lane.left)
        now = time.monotonic()
        for lane in self.lanes:
            lane.sender.abort_if_late(now)


def tell_some() -> int:
    """Make deliveries of some entries of the outbox. Returns how many entries were looked at."""
    with outbox.claim(services.SUBSCRIBER, limit=CLAIM) as entries:
        for entry in entries:
            with outbox.handling(entry):
                _tell(entry)
    return len(entries)


def _tell(entry: OutboxEntry) -> None:
    kind = catalogue.EVENTS.get(entry.topic)
    locked = Webhook.objects.select_for_update().order_by("pk")
    wanting = [webhook for webhook in locked if entry.topic in webhook.events]
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
    return [Job(one.pk, one.event.name, body_of(one), one.due_at) for one in taken]


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


def put_back(jobs: Sequence[Job]) -> None:
    """They were in hand and not tried: they are due as before."""
    if jobs:
        WebhookDelivery.objects.bulk_update([WebhookDelivery(pk=job.id, due_at=job.due_at) for job in jobs], ["due_at"])
