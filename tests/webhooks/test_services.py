"""The rules for webhooks: what may be called, who is told, secrets, and sending again."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts.models import AuditEntry
from csms import sealing
from csms.webhooks import catalogue, dispatch, services
from csms.webhooks.models import Webhook
from stations.models import Subscription
from tests.network import Network
from tests.webhooks.conftest import Tell, again, log
from tests.webhooks.receiver import Receiver, answer
from tests.webhooks.test_signing import documented


def wanted(network: Network) -> set[str]:
    with scopes_disabled():
        return set(Subscription.objects.filter(operator=network.operator).values_list("topic", flat=True))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "begin with https"),
        ("example.com/hook", "begin with https"),
        ("ftp://example.com/", "begin with https"),
        ("https:///hook", "begin with https"),
        ("https://example.com:0/", "begin with https"),
        ("https://example.com:99999/", "no address"),
        ("https://[::1/", "no address"),
        ("https://ada:secret@example.com/", "password"),
        ("https://example.com/#part", "behind #"),
        ("https://bücher.example/", "punycode"),
        ("https://example.com/a b", "percent"),
        ("https://example.com/" + "x" * 500, "500 characters"),
    ],
)
def test_an_address_that_cannot_be_called_is_refused_with_the_reason(amber: Network, url: str, why: str) -> None:
    with pytest.raises(ValidationError) as refused:
        services.add(operator=amber.operator, url=url, events=["station.online"])
    assert why in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "a.localhost", "[::1]", "10.0.0.7", "169.254.169.254"])
def test_in_production_an_address_of_this_machine_is_refused(amber: Network, settings: object, host: str) -> None:
    settings.WEBHOOK_PRIVATE = False  # type: ignore[attr-defined]
    with pytest.raises(ValidationError, match="private networks"):
        services.add(operator=amber.operator, url=f"http://{host}/", events=["station.online"])


def test_events_must_be_known_and_there_must_be_one(amber: Network) -> None:
    for events, why in ((["lamp.lit"], "There is no event lamp.lit"), ([], "at least one"), ([catalogue.PING], "no event ping")):
        with pytest.raises(ValidationError, match=why):
            services.add(operator=amber.operator, url="https://example.com/", events=events)


def test_an_operator_has_a_bounded_number(amber: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST", 1)
    services.add(operator=amber.operator, url="https://example.com/", events=["station.online"])
    with pytest.raises(ValidationError, match="remove one first"):
        services.add(operator=amber.operator, url="https://example.com/", events=["station.online"])


def test_the_outbox_notes_what_at_least_one_webhook_wants(amber: Network) -> None:
    one = services.add(operator=amber.operator, url="https://example.com/", events=["station.online", "station.offline"])
    two = services.add(operator=amber.operator, url="https://example.com/", events=["station.online", "command.finished"])
    assert wanted(amber) == {"station.online", "station.offline", "command.finished"}
    services.change(webhook=one, events=["station.faulted"])
    assert wanted(amber) == {"station.online", "station.faulted", "command.finished"}
    # What happens while it is paused waits for it.
    services.pause(webhook=two)
    assert wanted(amber) == {"station.online", "station.faulted", "command.finished"}
    services.remove(webhook=two)
    assert wanted(amber) == {"station.faulted"}


def test_what_happens_during_a_pause_is_sent_when_it_is_over(webhook: Webhook, them: Receiver, tell: Tell) -> None:
    services.pause(webhook=webhook)
    tell(webhook, 3)
    assert dispatch.run() == 0
    services.resume(webhook=webhook)
    assert dispatch.run() == 3
    assert len(them.calls) == 3


def test_a_new_secret_signs_beside_the_old_one_for_a_day(webhook: Webhook, them: Receiver, tell: Tell) -> None:
    new = services.rotate(webhook=webhook)
    assert new.secret != webhook.secret
    tell(webhook)
    dispatch.run()
    (call,) = them.calls
    assert documented()(webhook.secret, call.headers, call.body)
    assert documented()(new.secret, call.headers, call.body)
    with scopes_disabled():
        Webhook.objects.filter(pk=webhook.pk).update(old_secret_until=timezone.now() - timedelta(seconds=1))
    tell(webhook)
    dispatch.run()
    call = them.calls[-1]
    assert not documented()(webhook.secret, call.headers, call.body)
    assert documented()(new.secret, call.headers, call.body)


def test_a_test_is_sent_before_all_that_waits(webhook: Webhook, them: Receiver, tell: Tell) -> None:
    them.behaviour = answer(500)
    tell(webhook, 5)
    for _ in range(4):
        dispatch.run()
    them.behaviour = answer(200, b"hello")
    ping = services.ping(webhook=webhook)
    calls = len(them.calls)
    dispatch.run()
    assert them.calls[calls].payload["type"] == "ping"
    assert [one.response_body for one in log(webhook) if one.pk == ping.pk] == ["hello"]
    services.pause(webhook=webhook)
    with pytest.raises(ValidationError, match="paused"):
        services.ping(webhook=webhook)


def test_what_was_delivered_can_be_sent_again_under_its_id(webhook: Webhook, them: Receiver, tell: Tell) -> None:
    (delivery,) = tell(webhook)
    dispatch.run()
    services.replay(delivery=log(webhook)[0])
    dispatch.run()
    first, second = them.calls
    assert (first.body, first.headers["Webhook-Id"]) == (second.body, second.headers["Webhook-Id"])
    assert [one.pk for one in log(webhook)] == [delivery.pk]


def test_what_failed_since_a_time_can_be_sent_again_together(webhook: Webhook, them: Receiver, tell: Tell) -> None:
    tell(webhook, 2)
    dispatch.run()
    them.behaviour = answer(500)
    old, new = (tell(webhook)[0] for _ in range(2))
    dispatch.run()
    with scopes_disabled():
        type(old.event).objects.filter(pk=old.event_id).update(created_at=timezone.now() - timedelta(days=9))
    them.behaviour = answer(200)
    assert services.replay_failed(webhook=webhook, since=timezone.now() - timedelta(days=7)) == 1
    assert [one.pk for one in log(webhook) if one.status == "waiting"] == [new.pk]
    dispatch.run()
    assert services.replay_failed(webhook=webhook, since=timezone.now() - timedelta(days=7)) == 0


def test_another_address_starts_afresh(webhook: Webhook, them: Receiver, tell: Tell) -> None:
    them.behaviour = answer(500)
    tell(webhook)
    dispatch.run()
    assert again(webhook).failures == 1
    services.change(webhook=webhook, description="the same address")
    assert again(webhook).failures == 1
    services.change(webhook=webhook, url=them.url + "/new")
    assert (again(webhook).failures, again(webhook).failing_since) == (0, None)


def test_every_change_is_in_the_audit_and_no_secret_is(webhook: Webhook, tell: Tell) -> None:
    services.change(webhook=webhook, description="for the app")
    services.pause(webhook=webhook)
    services.resume(webhook=webhook)
    new = services.rotate(webhook=webhook)
    services.ping(webhook=webhook)
    services.remove(webhook=webhook)
    with scopes_disabled():
        entries = list(AuditEntry.objects.filter(operator=webhook.operator, object_type="webhook").order_by("id"))
    assert [entry.action.removeprefix("webhook.") for entry in entries] == [
        *("added", "changed", "paused", "resumed", "secret_changed", "tested", "removed")
    ]
    assert not [entry for entry in entries if new.secret in str(vars(entry)) or webhook.secret in str(vars(entry))]


def test_in_the_table_no_secret_lies_as_it_is(webhook: Webhook) -> None:
    new = services.rotate(webhook=webhook)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, old_secret FROM csms_webhook WHERE id = %s", [webhook.pk])
        kept = cursor.fetchone()
    for plain, sealed in zip((new.secret, webhook.secret), kept, strict=True):
        assert plain.removeprefix("whsec_") not in sealed
        assert sealing.unseal(sealed, purpose="webhook secret") == plain
        # Of no use where another kind of secret is looked for.
        assert sealing.unseal(sealed, purpose="second factor") is None
    assert (again(webhook).secret, again(webhook).old_secret) == (new.secret, webhook.secret)


def test_what_may_be_secret_in_an_address_is_not_in_the_audit(webhook: Webhook) -> None:
    for token in ("first-token", "second-token"):
        services.change(webhook=webhook, url=f"https://example.com/h?token={token}")
    with scopes_disabled():
        entries = AuditEntry.objects.filter(operator=webhook.operator, action="webhook.changed").order_by("id")
        first, second = [(entry.before, entry.after) for entry in entries]
    assert "token=" not in str((first, second))
    assert second == ({"url": "https://example.com/h?…"}, {"url": "https://example.com/h?… (another)"})


def test_what_may_be_secret_in_an_address_is_not_shown(amber: Network) -> None:
    webhook = services.add(operator=amber.operator, url="https://example.com/h?token=abc", events=["station.online"])
    assert (str(webhook), webhook.url) == ("https://example.com/h?…", "https://example.com/h?token=abc")
