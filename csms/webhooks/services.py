"""Webhooks: the rules for adding, changing, pausing, testing and replaying them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope

from accounts import audit
from accounts.models import Operator
from csms.webhooks import catalogue, sending, signing
from csms.webhooks.models import OPEN, UNDELIVERED, DeliveryStatus, Webhook, WebhookDelivery, WebhookEvent
from stations import outbox, ports

#: Who we are in the outbox.
SUBSCRIBER = "webhooks"
#: Of one operator.
MOST = 20
#: How long the old secret signs too.
OVERLAP = timedelta(hours=24)
LONGEST_URL = 500
#: How it does, in the row.
HEALTH = ("failures", "failing_since", "rests_until")


def add(*, operator: Operator, url: str, events: Iterable[str], description: str = "") -> Webhook:
    """A webhook that is told from now on. Its secret is in `secret`, to be shown once. Raises ValidationError."""
    webhook = Webhook(operator=operator, secret=signing.make_secret())
    with scope(operator=operator), transaction.atomic():
        Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
        if Webhook.objects.count() >= MOST:
            raise ValidationError(
                _("You have %(most)s webhooks already, and no more are called: remove one first.") % {"most": MOST}
            )
        _fill(webhook, url=url, events=events, description=description)
        webhook.save()
        audit.record("webhook.added", webhook, operator=operator, after=_facts(webhook))
        _subscribe(operator)
    return webhook


def change(*, webhook: Webhook, **changes: Any) -> Webhook:
    """Sets the fields given, of those that `add` takes; the others stay."""
    with scope(operator=webhook.operator), transaction.atomic():
        locked = _locked(webhook)
        before, url = _facts(locked), locked.url
        _fill(locked, **changes)
        if moved := locked.url != url:
            # Another address starts afresh.
            locked.failures, locked.failing_since, locked.rests_until = 0, None, None
        locked.save(update_fields=["url", "description", "events", *HEALTH])
        after = _facts(locked)
        if moved and after["url"] == before["url"]:
            after["url"] += " (another)"
        audit.record("webhook.changed", locked, operator=locked.operator_id, before=before, after=after)
        _subscribe(locked.operator)
    transaction.on_commit(_ring)
    return locked


def pause(*, webhook: Webhook) -> None:
    """Send nothing to it. What happens meanwhile waits. One that was switched off is now so on purpose."""
    _set_active(webhook, active=False)


def resume(*, webhook: Webhook) -> None:
    """Send to it again, and first what has waited."""
    _set_active(webhook, active=True)


def _set_active(webhook: Webhook, *, active: bool) -> None:
    with scope(operator=webhook.operator), transaction.atomic():
        locked = _locked(webhook)
        if locked.active == active and not locked.disabled_because:
            return
        before = audit.fields_of(locked, "active", "disabled_because")
        locked.active, locked.disabled_because = active, ""
        locked.failures, locked.failing_since, locked.rests_until = 0, None, None
        locked.save(update_fields=["active", "disabled_because", *HEALTH])
        if active:
            locked.deliveries.filter(status__in=OPEN).update(due_at=timezone.now())
        verb = "webhook.resumed" if active else "webhook.paused"
        after = audit.fields_of(locked, "active", "disabled_because")
        audit.record(verb, locked, operator=locked.operator_id, before=before, after=after)
    transaction.on_commit(_ring)


def rotate(*, webhook: Webhook) -> Webhook:
    """A new secret. For a day what is sent is signed with the old one too."""
    with scope(operator=webhook.operator), transaction.atomic():
        locked = _locked(webhook)
        locked.old_secret, locked.old_secret_until = locked.secret, timezone.now() + OVERLAP
        locked.secret = signing.make_secret()
        locked.save(update_fields=["secret", "old_secret", "old_secret_until"])
        audit.record("webhook.secret_changed", locked, operator=locked.operator_id, note="The old one signs for another day.")
    return locked


def remove(*, webhook: Webhook) -> None:
    """Forget a webhook, and what was or was not delivered to it."""
    with scope(operator=webhook.operator), transaction.atomic():
        locked = _locked(webhook)
        audit.record("webhook.removed", locked, operator=locked.operator_id, before=_facts(locked))
        locked.delete()
        _subscribe(webhook.operator)


def ping(*, webhook: Webhook) -> WebhookDelivery:
    """Send a test. Raises ValidationError while it is paused."""
    with scope(operator=webhook.operator), transaction.atomic():
        locked = _locked(webhook)
        if not locked.active:
            raise ValidationError(_("The webhook is paused: resume it, then test it."))
        now = timezone.now()
        data = {"webhook": locked.pk, "description": locked.description}
        event = WebhookEvent.objects.create(operator=locked.operator, type=catalogue.PING, data=data, created_at=now)
        # Somebody waits for the answer: before all others.
        (delivery,) = deliver(event, [locked], due_at=now - timedelta(days=365))
        Webhook.objects.filter(pk=locked.pk).update(rests_until=None)
        audit.record("webhook.tested", locked, operator=locked.operator_id)
    transaction.on_commit(_ring)
    return delivery


def deliver(event: WebhookEvent, webhooks: Sequence[Webhook], *, due_at: datetime) -> list[WebhookDelivery]:
    """A delivery of the event for each of these webhooks, whose rows the caller has locked."""
    for webhook in webhooks:
        webhook.sequence += 1
    Webhook.objects.bulk_update(webhooks, ["sequence"])
    return WebhookDelivery.objects.bulk_create(
        WebhookDelivery(operator_id=event.operator_id, webhook=webhook, event=event, sequence=webhook.sequence, due_at=due_at)
        for webhook in webhooks
    )


def replay(*, delivery: WebhookDelivery) -> None:
    """Send it again, delivered or not, under the id it had."""
    with scope(operator=delivery.operator_id), transaction.atomic():
        WebhookDelivery.objects.filter(pk=delivery.pk).update(status=DeliveryStatus.WAITING, attempts=0, due_at=timezone.now())
        Webhook.objects.filter(pk=delivery.webhook_id).update(rests_until=None)
        audit.record("webhook.delivery_replayed", delivery.webhook, operator=delivery.operator_id, note=delivery.event.name)
    transaction.on_commit(_ring)


def replay_failed(*, webhook: Webhook, since: datetime) -> int:
    """Send again what failed or was given up of the events since then. Returns how many."""
    with scope(operator=webhook.operator), transaction.atomic():
        failed = WebhookDelivery.objects.filter(webhook=webhook, status__in=UNDELIVERED, event__created_at__gte=since)
        count = failed.update(status=DeliveryStatus.WAITING, attempts=0, due_at=timezone.now())
        if count:
            Webhook.objects.filter(pk=webhook.pk).update(rests_until=None)
            note = f"{count} deliveries since {since.isoformat()}"
            audit.record("webhook.deliveries_replayed", webhook, operator=webhook.operator_id, note=note)
    transaction.on_commit(_ring)
    return count


def _locked(webhook: Webhook) -> Webhook:
    return Webhook.objects.select_for_update(of=("self",)).select_related("operator").get(pk=webhook.pk)


def _ring() -> None:
    ports.bell.work(SUBSCRIBER)


def _facts(webhook: Webhook) -> dict[str, Any]:
    """For the audit, which is kept for years: without what may be secret in the address."""
    return {"url": webhook.shown_url, "description": webhook.description, "events": ", ".join(webhook.events)}


def _subscribe(operator: Operator) -> None:
    """The outbox notes what at least one webhook of the operator wants, paused ones too."""
    wanted = {kind for events in Webhook.objects.values_list("events", flat=True) for kind in events}
    outbox.want(SUBSCRIBER, wanted, operator=operator)


def _fill(webhook: Webhook, **values: Any) -> None:
    if "url" in values:
        webhook.url = check_url(values["url"])
    if "events" in values:
        webhook.events = _check_events(values["events"])
    if "description" in values:
        webhook.description = str(values["description"]).strip()
    webhook.clean_fields(exclude=["operator", "secret", "old_secret"])


def _check_events(events: Iterable[str]) -> list[str]:
    asked = list(dict.fromkeys(events))
    if unknown := [kind for kind in asked if kind not in catalogue.EVENTS]:
        known = ", ".join(catalogue.EVENTS)
        raise ValidationError(
            {"events": _("There is no event %(unknown)s. There are %(known)s.") % {"unknown": ", ".join(unknown), "known": known}}
        )
    if not asked:
        raise ValidationError({"events": _("Choose at least one kind of event.")})
    return [kind for kind in catalogue.EVENTS if kind in asked]


def check_url(url: str) -> str:
    """The address, if it may be called as far as can be said without asking for its name. Raises ValidationError."""
    url = url.strip()
    wrong = ""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        wrong = _("This is no address: it looks like https://example.com/hook.")
    else:
        if len(url) > LONGEST_URL:
            wrong = _("An address has %(most)s characters at most.") % {"most": LONGEST_URL}
        elif parts.scheme not in ("http", "https") or not host or port == 0:
            wrong = _("The address must begin with https:// or http:// and name a host.")
        elif not url.isascii() or not url.isprintable() or any(letter in url for letter in ' \\"<>^`{|}'):
            wrong = _("The address has characters that must be written with a percent sign, or a host that must be in punycode.")
        elif parts.username is not None or parts.password is not None:
            wrong = _("The address must not hold a password: what we send is signed instead.")
        elif parts.fragment:
            wrong = _("The address must not have a part behind #, which is never sent.")
        elif not settings.WEBHOOK_PRIVATE and is_forbidden(host):
            wrong = _("Addresses of this machine and of private networks are not called. CSMS_WEBHOOK_PRIVATE=1 allows it.")
    if wrong:
        raise ValidationError({"url": wrong})
    return url


def is_forbidden(host: str) -> bool:
    """Whether an address leads to this machine or a private network, as far as can be said without asking for its name."""
    try:
        return sending.is_forbidden(host)
    except ValueError:  # a name, which is looked at when it is called
        return host == "localhost" or host.endswith(".localhost")
