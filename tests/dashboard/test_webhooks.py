"""The pages of webhooks: adding, the secret once, the log, sending again."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from csms.dashboard import webhooks as pages
from csms.webhooks import dispatch
from csms.webhooks.models import Webhook, WebhookDelivery
from tests.dashboard.world import one_of_each
from tests.network import Network
from tests.webhooks.receiver import Receiver, answer, receiver


@pytest.fixture
def them() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def added(ada: Client, them: Receiver, **fields: Any) -> Webhook:
    answered = ada.post("/webhooks/add/", {"url": them.url, "events": ["station.online"], "description": "The app"} | fields)
    assert answered.status_code == 302, answered.content.decode()
    with scopes_disabled():
        return Webhook.objects.latest("pk")


def html(client: Client, path: str) -> str:
    answered = client.get(path)
    assert answered.status_code == 200
    return answered.content.decode()


def test_the_secret_is_shown_once(ada: Client, them: Receiver) -> None:
    webhook = added(ada, them)
    path = f"/webhooks/{webhook.pk}/"
    assert webhook.secret in html(ada, path)
    assert webhook.secret not in html(ada, path)
    ada.post(f"{path}do/", {"do": "rotate"})
    (shown,) = re.findall(r'id="secret">(whsec_[^<]+)<', html(ada, path))
    assert shown != webhook.secret
    assert "whsec_" not in html(ada, path)


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(ada: Client) -> None:
    answered = ada.post("/webhooks/add/", {"url": "ftp://example.com", "events": ["station.online"]})
    page = answered.content.decode()
    assert answered.status_code == 422
    assert 'id="id_url_error">The address must begin with https' in page
    assert 'value="ftp://example.com"' in page
    assert re.findall(r'value="([a-z_.]+)" checked', page) == ["station.online"]
    page = ada.post("/webhooks/add/", {"url": "https://example.com/"}).content.decode()
    assert 'id="id_events_error">Choose at least one kind of event.' in page


def test_it_is_changed_tested_paused_resumed_and_removed(ada: Client, them: Receiver) -> None:
    webhook = added(ada, them)
    path = f"/webhooks/{webhook.pk}/"
    ada.post(f"{path}change/", {"url": them.url + "/2", "events": ["station.offline", "station.online"], "description": ""})
    ada.post(f"{path}do/", {"do": "test"})
    assert "data-refresh" in html(ada, path)  # somebody waits for the answer
    dispatch.run()
    page = html(ada, path)
    assert "<code>ping</code>" in page
    assert "thanks" in page
    assert "Works" in page
    assert [call.path for call in them.calls] == ["/hook/2"]
    ada.post(f"{path}do/", {"do": "pause"})
    assert "What happens waits, and is sent when you resume." in html(ada, path)
    assert "Paused" in html(ada, "/webhooks/")
    ada.post(f"{path}do/", {"do": "resume"})
    ada.post(f"{path}do/", {"do": "dance"})
    ada.post(f"{path}do/", {"do": "remove"})
    assert "No webhooks yet" in html(ada, "/webhooks/")


def test_the_log_shows_why_and_sends_again(ada: Client, them: Receiver) -> None:
    webhook = added(ada, them)
    path = f"/webhooks/{webhook.pk}/"
    them.behaviour = answer(500, b"<h1>oops</h1>")
    ada.post(f"{path}do/", {"do": "test"})
    dispatch.run()
    page = html(ada, f"{path}?status=failed")
    assert "It answered 500" in page
    assert "&lt;h1&gt;oops&lt;/h1&gt;" in page
    assert "None of that kind" in html(ada, f"{path}?status=given_up")
    them.behaviour = answer(200)
    ada.post(f"{path}replay/", {"since": "2026-01-01T00:00"})
    dispatch.run()
    with scopes_disabled():
        delivery = WebhookDelivery.objects.get(webhook=webhook)
    assert delivery.status == "delivered"
    ada.post(f"/webhooks/deliveries/{delivery.pk}/replay/")
    dispatch.run()
    assert len(them.calls) == 3
    for since in ("", "yesterday"):
        ada.post(f"{path}replay/", {"since": since})
        assert "Say since when" in html(ada, path)


def test_a_long_log_has_pages(ada: Client, amber: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 2)
    world = one_of_each(amber)
    path = f"/webhooks/{world.webhook.pk}/"
    first = html(ada, path)
    numbers = re.findall(r"no\. (\d)", first)
    (more,) = re.findall(r'href="\?before=(\d+)"', first)
    assert numbers + re.findall(r"no\. (\d)", html(ada, f"{path}?before={more}")) == ["4", "3", "2", "1"]


def test_a_page_of_the_log_takes_as_many_queries_as_it_has_always(
    ada: Client, amber: Network, django_assert_max_num_queries: Any
) -> None:
    world = one_of_each(amber)
    with django_assert_max_num_queries(8):
        html(ada, f"/webhooks/{world.webhook.pk}/")


def test_ben_sees_neither_buttons_nor_what_is_secret_in_an_address(ben: Client, amber: Network) -> None:
    world = one_of_each(amber)
    page = html(ben, f"/webhooks/{world.webhook.pk}/")
    assert "key=Harbour" not in page
    assert "Send a test" not in page
