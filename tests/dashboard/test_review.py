"""What waits for a person: the lists, a session with what can be done and what it costs, and a message to put right."""

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from billing import tariffs
from stations.models import OutboxEntry, RepairMessage, Station, Transaction
from tests.dashboard.conftest import browser_of
from tests.dashboard.rows import bill, finding, finished, plug, sample, session
from tests.network import Network


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html.partition("<main")[2])).replace("\u202f", " ").split())


def page(client: Client, path: str = "/review/", status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.status_code
    return answer.content.decode()


def shown(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="(?:transaction|message)-(\d+)"', html)]


def now_of(t: Transaction) -> Transaction:
    with scopes_disabled():
        return Transaction.objects.get(pk=t.pk)


def doubted(network: Network, doubt: str = "stop_missing", **fields: Any) -> Transaction:
    """From 1 to 8.5 kWh within an hour."""
    given = {"doubt": doubt, "meter_start_wh": Decimal(1000), "meter_last_wh": Decimal(8500), "start_key": None} | fields
    return finished(plug(network), **given)


def misunderstood(station: Station, payload: str = '{"transactionId":1,"meterStop":"many"}') -> RepairMessage:
    with scopes_disabled():
        return RepairMessage.objects.create(
            operator=station.operator,
            station=station,
            action="StopTransaction",
            frame=f'[2,"m","StopTransaction",{payload}]',
            answer='[3,"m",{}]',
            reason="meterStop must be of type integer.",
            received_at=timezone.now(),
            protocol="ocpp1.6",
        )


# The lists


def test_the_list_has_every_session_in_doubt_with_why_it_waits_and_no_other(ada: Client, amber: Network) -> None:
    rows = [doubted(amber, one) for one in ("stop_missing", "start_missing", "register", "events_missing")]
    finding(rows[0])
    doubted(amber, "set_aside")
    finished(plug(amber))
    html = page(ada)
    assert shown(html) == [row.pk for row in reversed(rows)]
    assert "Its end never came. What is known goes up to the last reading." in text(html)
    assert "In doubt 4" in text(html)
    assert shown(page(ada, "/review/?doubt=register")) == [rows[2].pk]
    assert shown(page(ada, f"/review/?station={rows[0].station.identity}")) == [rows[0].pk]
    assert "Nothing fits" in page(ada, "/review/?station=NOBODY")
    assert 'href="/review/"' in page(ada, "/transactions/")


def test_sessions_that_seem_dead_and_messages_have_lists_of_their_own(ada: Client, amber: Network) -> None:
    dead = session(plug(amber, "Charging"), started_at=timezone.now() - timedelta(hours=9), meter_last_at=None)
    session(plug(amber, "Charging"))
    message = misunderstood(dead.station)
    assert shown(page(ada, "/review/?kind=running")) == [dead.pk]
    html = page(ada, "/review/?kind=messages")
    assert shown(html) == [message.pk]
    assert "meterStop must be of type integer." in html


def test_with_nothing_to_do_the_list_says_so(ada: Client) -> None:
    assert "Every session is trusted" in page(ada)
    assert "Every running session is alive" in page(ada, "/review/?kind=running")
    assert "Every message was understood" in page(ada, "/review/?kind=messages")


def test_the_list_goes_on_by_key_and_takes_as_many_queries_as_ever(
    ada: Client, amber: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    from csms.dashboard import review

    monkeypatch.setattr(review, "PAGE", 2)
    rows = [doubted(amber) for _ in range(5)]
    found: list[int] = []
    path, queries = "/review/", set()
    while path:
        with CaptureQueriesContext(connection) as asked:
            html = page(ada, path)
        queries.add(len(asked))
        found += shown(html)
        older = re.search(r'href="/review/\?([^"]*before=\d+)"', html)
        path = f"/review/?{older[1]}" if older else ""
    assert found == [row.pk for row in reversed(rows)]
    assert len(queries) == 1
    assert max(queries) <= 12
    assert ada.get("/review/?before=x").status_code == 400


def test_the_list_is_read_along_its_index(amber: Network) -> None:
    from stations import review

    with scopes_disabled():
        first = doubted(amber)
        same = {name: getattr(first, name) for name in ("operator_id", "station_id", "started_at", "received_at", "status")}
        Transaction.objects.bulk_create(Transaction(**same, ocpp_transaction_id=f"fine-{n}") for n in range(3000))
    with connection.cursor() as cursor, scope(operator=amber.operator):
        cursor.execute("ANALYZE stations_transaction")
        assert "transaction_operator_waiting" in review.waiting().order_by("-pk")[:50].explain()


# One session


def test_what_can_be_done_stands_with_what_it_makes_of_energy_and_price(ada: Client, amber: Network) -> None:
    amber.tariff()
    t = doubted(amber)
    html = page(ada, f"/review/{t.pk}/")
    accept = text("<main" + html.partition('id="fix-accept"')[2].partition("</article>")[0])
    # 7.5 kWh at 0.40, an hour at 0.02 a minute, 0.50 for the session, and 25 percent tax.
    assert "Energy 7.50 kWh → 7.50 kWh Price, with tax not billed → 5.85 EUR" in accept
    assert "Price, with tax not billed → not billed" in text("<main" + html.partition('id="fix-write_off"')[2])
    assert f'href="/review/{t.pk}/"' in page(ada, f"/transactions/{t.pk}/")


def test_a_preview_by_hand_changes_nothing(ada: Client, amber: Network) -> None:
    amber.tariff()
    t = doubted(amber)
    ended = timezone.localtime(t.started_at + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%S")
    html = page(ada, f"/review/{t.pk}/?do=close&stopped_at={ended}&meter_stop_kwh=11")
    close = html.partition('id="fix-close"')[2].partition("</article>")[0]
    assert "Energy 7.50 kWh → 10.00 kWh" in text("<main" + close)
    assert 'name="meter_stop_kwh" value="11"' in close
    assert now_of(t).doubt == "stop_missing"
    wrong = page(ada, f"/review/{t.pk}/?do=close&stopped_at={ended}&meter_stop_kwh=0.5")
    assert "it cannot end below where it began" in text(wrong)
    assert "Enter a number" in text(page(ada, f"/review/{t.pk}/?do=close&stopped_at={ended}&meter_stop_kwh=x"))


def fix(client: Client, t: Transaction, **data: Any) -> str:
    seen = re.search(r'name="seen" value="(\w+)"', page(client, f"/review/{t.pk}/"))
    answer = client.post(f"/review/{t.pk}/fix/", {"seen": seen[1] if seen else ""} | data, follow=True)
    assert answer.status_code == 200
    return text(answer.content.decode())


def test_a_session_is_closed_by_hand_and_that_is_undone(ada: Client, amber: Network) -> None:
    t = doubted(amber)
    ended = t.started_at + timedelta(minutes=30)
    asked = {"fix": "close", "stopped_at": ended.isoformat(), "meter_stop_kwh": "11"}
    assert "Nothing was changed: Say why" in fix(ada, t, **asked)
    said = fix(ada, t, **asked, reason="Read from the meter")
    assert "The session was closed by hand." in said
    assert "Set by hand Read from the meter" in said
    assert (now_of(t).doubt, now_of(t).energy_wh, now_of(t).stopped_at) == ("", 10_000, ended)
    undone = ada.post(f"/review/{t.pk}/undo/", follow=True).content.decode()
    assert "It is undone: the session waits again." in undone
    assert (now_of(t).doubt, now_of(t).energy_wh) == ("stop_missing", 7500)


@pytest.mark.parametrize(("what", "energy", "doubt"), [("accept", 7500, ""), ("write_off", 7500, "set_aside")])
def test_a_session_is_accepted_or_written_off(ada: Client, amber: Network, what: str, energy: int, doubt: str) -> None:
    t = doubted(amber)
    fix(ada, t, fix=what, reason="Seen on site")
    assert (now_of(t).energy_wh, now_of(t).doubt) == (energy, doubt)
    assert shown(page(ada)) == []
    assert ("It was set aside: it is never billed." in page(ada, f"/transactions/{t.pk}/")) is (doubt == "set_aside")
    # The same once more is no harm, and another fix is refused in words.
    assert "Nothing was changed" in fix(ada, t, fix="recalculate", method="span")


def test_it_is_counted_anew_from_its_samples(ada: Client, amber: Network) -> None:
    t = doubted(amber)
    sample(t, t.started_at + timedelta(minutes=10), 7000)
    sample(t, t.started_at + timedelta(minutes=20), 7000)
    assert "Count: last register less the first" in text(page(ada, f"/review/{t.pk}/"))
    fix(ada, t, fix="recalculate", method="span")
    assert (now_of(t).energy_wh, now_of(t).doubt) == (0, "")


def test_a_stop_is_attached_from_either_side(ada: Client, amber: Network) -> None:
    t = doubted(amber)
    with scopes_disabled():
        stop = Transaction.objects.create(
            operator=t.operator, station=t.station, ocpp_transaction_id="9@1", status="ended", doubt="start_missing",
            started_at=t.stopped_at, stopped_at=t.stopped_at, received_at=t.stopped_at, meter_stop_wh=9000, stopped_by="dee-card",
        )  # fmt: skip
    assert "the same id tag" in text(page(ada, f"/review/{t.pk}/"))
    html = page(ada, f"/review/{stop.pk}/")
    assert "Energy 7.50 kWh → 8.00 kWh" in text(html)
    assert "Nothing was changed" in fix(ada, stop, fix="attach", session="1", stop="x")
    fix(ada, stop, fix="attach", session=t.pk, stop=stop.pk)
    assert (now_of(t).energy_wh, now_of(t).doubt, now_of(stop).doubt) == (8000, "", "set_aside")
    assert "Set aside, not billed" in text(page(ada, f"/transactions/{stop.pk}/"))


def test_what_has_changed_since_it_was_looked_at_is_left_alone(ada: Client, amber: Network) -> None:
    t = doubted(amber)
    page(ada, f"/review/{t.pk}/")
    answer = ada.post(f"/review/{t.pk}/fix/", {"fix": "accept", "seen": "0" * 16}, follow=True)
    assert "has changed since you looked at it" in text(answer.content.decode())
    assert now_of(t).doubt == "stop_missing"


def test_a_billed_session_says_so_and_whatever_is_changed_is_explained(ada: Client, amber: Network) -> None:
    t = finished(plug(amber))
    bill(t, amber.tariff())
    html = page(ada, f"/review/{t.pk}/")
    assert "It has been billed. If you change it" in html
    assert 'id="fix-accept"' not in html
    assert "Why (optional)" not in html
    wanted = {"fix": "close", "stopped_at": t.stopped_at.isoformat(), "meter_stop_kwh": "9"}
    assert "Say why" in text(ada.post(f"/review/{t.pk}/fix/", wanted, follow=True).content.decode())
    ada.post(f"/review/{t.pk}/fix/", wanted | {"reason": "Read at the meter"}, follow=True)
    with scopes_disabled():
        assert OutboxEntry.objects.filter(topic="transaction_ended", object_id=t.pk).exists()


def test_finance_repairs_and_a_technician_looks(amber: Network) -> None:
    t = doubted(amber)
    for role, may in (("finance", True), ("technician", False)):
        client = browser_of(amber, role, role=role)
        assert (f'action="/review/{t.pk}/fix/"' in page(client, f"/review/{t.pk}/")) is may
        assert client.post(f"/review/{t.pk}/fix/", {"fix": "guess"}).status_code == (302 if may else 403)


# One message


def test_a_message_is_put_right_and_handled(ada: Client, amber: Network) -> None:
    t = session(plug(amber, "Charging"))
    number = t.ocpp_transaction_id
    message = misunderstood(t.station)
    path = f"/review/messages/{message.pk}/"
    html = page(ada, path)
    assert "meterStop must be of type integer." in text(html)
    assert f"Transaction {number}" in text(html)
    about = page(ada, f"{path}?about={t.pk}")
    assert f"&quot;transactionId&quot;: {number}," in about
    bad = ada.post(f"{path}play/", {"payload": f'{{"transactionId": {number}, "meterStop": "much"}}'})
    assert (bad.status_code, "meterStop must be of type integer." in text(bad.content.decode())) == (422, True)
    assert f"&quot;transactionId&quot;: {number}, &quot;meterStop&quot;: &quot;much&quot;}}" in bad.content.decode()
    payload = f'{{"transactionId": {number}, "meterStop": 9000, "timestamp": "{timezone.now().isoformat()}"}}'
    done = ada.post(f"{path}play/", {"payload": payload, "reason": "By the receipt"}, follow=True)
    assert "It was put right and handled. By the receipt" in text(done.content.decode())
    assert (now_of(t).status, now_of(t).energy_wh) == ("ended", 8000)
    assert "meanwhile" in text(ada.post(f"{path}play/", {"payload": payload}).content.decode())


def test_a_message_is_thrown_away_with_a_reason(ada: Client, amber: Network) -> None:
    message = misunderstood(amber.station(accepted=True))
    path = f"/review/messages/{message.pk}/"
    assert "Say why" in ada.post(f"{path}discard/", follow=True).content.decode()
    done = ada.post(f"{path}discard/", {"reason": "A test on the bench"}, follow=True)
    assert "It was thrown away. A test on the bench" in text(done.content.decode())
    assert shown(page(ada, "/review/?kind=messages")) == []


def test_who_may_not_see_id_tags_sees_none_in_a_message(ben: Client, amber: Network) -> None:
    message = misunderstood(amber.station(accepted=True), '{"transactionId":1,"meterStop":"many","idTag":"04A1B2C3D4"}')
    html = page(ben, f"/review/messages/{message.pk}/")
    assert "04A1B2C3D4" not in html
    assert "***C3D4" in html


def test_of_a_billed_session_whose_samples_were_let_go_no_price_is_guessed(ada: Client, amber: Network) -> None:
    part = {"type": "ENERGY", "price": 0.5, "step_size": 1}
    by_hour = {"elements": [{"price_components": [part], "restrictions": {"start_time": "22:00", "end_time": "06:00"}}]}
    with scopes_disabled():
        nights = tariffs.add_tariff(operator=amber.operator, name="Nights", ocpi=by_hour, is_default=True)
        version = nights.versions.get()
    long_ago = timezone.now() - timedelta(days=3000)
    t = doubted(amber, "register", started_at=long_ago, stopped_at=long_ago + timedelta(hours=1), meter_stop_wh=Decimal(8500))
    assert "samples were let go" not in text(page(ada, f"/review/{t.pk}/")), "they are kept until it is billed"
    bill(t, nights, version=version)
    assert "not known: its meter samples were let go" in text(page(ada, f"/review/{t.pk}/"))
