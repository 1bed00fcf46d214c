"""Id tags on the pages: list, add, change, block and undo, import."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts.models import IdToken
from csms.dashboard import idtags
from tests.dashboard.rows import finished, plug
from tests.network import Network


def page(client: Client, path: str = "/id-tags/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def listed(html: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'<tr id="id-tag-(\d+)"', html)]


def tag(value: str) -> IdToken:
    with scopes_disabled():
        return IdToken.objects.select_related("group").get(value=value)


def post(client: Client, path: str, **data: Any) -> Any:
    return client.post(path, data)


def test_the_list_shows_each_tag_and_when_it_was_used_last(ada: Client, amber: Network) -> None:
    used, other = amber.token("DEE-CARD", group="DEE"), amber.token("VAN-7", status="Blocked", note="the blue van")
    finished(plug(amber), id_token=used, started_at=timezone.now() - timedelta(hours=3))
    html = page(ada)
    assert listed(html) == [used.pk, other.pk]
    assert "3 h ago" in html
    assert "the blue van" in html
    for query, wanted in {
        "q=dee": [used],
        "q=blue": [other],
        "status=Blocked": [other],
        "group=dee": [used],
        "q=nothing": [],
    }.items():
        assert listed(page(ada, f"/id-tags/?{query}")) == [row.pk for row in wanted], query


def test_the_next_page_goes_on_where_the_first_ended(ada: Client, amber: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idtags, "PAGE", 2)
    rows = [amber.token(f"CARD {number}+_") for number in range(5)]
    seen, path = [], "/id-tags/"
    while path:
        html = page(ada, path)
        seen += listed(html)
        more = re.search(r'href="/id-tags/\?(after=[^"]+)"', html)
        path = f"/id-tags/?{more[1]}" if more else ""
    assert seen == [row.pk for row in rows]
    assert ada.get("/id-tags/?after=%00_x").status_code == 200


def test_the_number_of_queries_does_not_depend_on_the_number_of_tags(
    ada: Client, amber: Network, django_assert_num_queries: Callable[..., Any]
) -> None:
    for count in (1, 12):
        for number in range(count):
            amber.token(f"CARD-{count}-{number}", group="DEE")
        # Login, user, operator; tags; saved views; their last use.
        with django_assert_num_queries(6):
            page(ada)


def test_a_tag_is_added_with_all_it_has(ada: Client, amber: Network) -> None:
    answer = post(
        ada,
        "/id-tags/add/",
        value=" dee-card ",
        type="ISO14443",
        status="Accepted",
        expires_at="2027-01-31T12:30",
        group="DEE",
        note="the blue van",
    )
    assert answer["Location"] == "/id-tags/"
    added = tag("dee-card")
    assert (added.key, added.group.name if added.group else "", added.note) == ("DEE-CARD", "DEE", "the blue van")
    assert timezone.localtime(added.expires_at).strftime("%Y-%m-%d %H:%M") == "2027-01-31 12:30"
    assert "The id tag dee-card is added." in page(ada)


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(ada: Client, amber: Network) -> None:
    amber.token("DEE-CARD")
    answer = post(ada, "/id-tags/add/", value="dee-card", type="ISO14443", status="Accepted", note="keep me")
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "<title>Error: " in html
    assert 'id="id_value_error">There is an id tag dee-card of type ISO14443 already' in html
    assert 'href="#id_value"' in html
    assert 'value="keep me"' in html
    assert 'id="id_value_error">This field is required.' in post(ada, "/id-tags/add/").content.decode()


def test_a_tag_is_changed_and_what_was_not_touched_stays(ada: Client, amber: Network) -> None:
    until = timezone.now().replace(microsecond=123) + timedelta(days=1)
    known = amber.token("DEE-CARD", expires_at=until, group="DEE")
    html = page(ada, f"/id-tags/{known.pk}/")
    data = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', html)) | {"type": "ISO14443", "status": "Accepted"}
    assert post(ada, f"/id-tags/{known.pk}/", **data | {"note": "new", "group": "VANS"}).status_code == 302
    changed = tag("DEE-CARD")
    assert (changed.note, changed.group.name if changed.group else "") == ("new", "VANS")
    assert changed.expires_at == until


def test_one_click_blocks_and_another_one_undoes_it(ada: Client, amber: Network) -> None:
    known = amber.token("DEE-CARD")
    answer = post(ada, f"/id-tags/{known.pk}/status/", status="Blocked", next="/id-tags/?q=dee")
    assert answer["Location"] == "/id-tags/?q=dee"
    assert tag("DEE-CARD").status == "Blocked"
    html = page(ada, "/id-tags/?q=dee")
    assert "DEE-CARD is blocked" in html
    assert ">Undo</button>" in html
    post(ada, f"/id-tags/{known.pk}/status/", status="Accepted", next="https://evil.example/")
    assert tag("DEE-CARD").status == "Accepted"
    assert "DEE-CARD is accepted again." in page(ada)
    assert "DEE-CARD is accepted again." not in page(ada)
    assert post(ada, f"/id-tags/{known.pk}/status/", status="Nonsense").status_code == 302
    assert tag("DEE-CARD").status == "Accepted"


def test_nobody_is_sent_to_another_site(ada: Client, amber: Network) -> None:
    known = amber.token("DEE-CARD")
    answer = post(ada, f"/id-tags/{known.pk}/status/", status="Blocked", next="https://evil.example/")
    assert answer["Location"] == "/id-tags/"


def upload(client: Client, text: str) -> Any:
    return client.post("/id-tags/import/", {"file": SimpleUploadedFile("tags.csv", text.encode())})


def test_a_file_is_looked_at_first_and_then_imported_once(ada: Client, ben: Client, amber: Network) -> None:
    amber.token("DEE-CARD")
    html = upload(ada, "value,group,note\nDEE-CARD,DEE,old\nNEW-1,,new\nNEW-2,,\n").content.decode()
    assert "2 id tags are new," in html
    assert "1 is known and takes what the file says." in html
    assert "NEW-1" in html
    with scopes_disabled():
        assert IdToken.objects.count() == 1
    ticket = html.split('name="ticket" value="')[1].split('"')[0]
    assert post(ada, "/id-tags/import/run/", ticket=ticket)["Location"] == "/id-tags/"
    assert "2 id tags added, 1 changed." in page(ada)
    assert tag("DEE-CARD").note == "old"
    assert post(ada, "/id-tags/import/run/", ticket=ticket)["Location"] == "/id-tags/import/"
    assert "imported already" in page(ada, "/id-tags/import/")


def test_the_errors_of_a_file_are_named_line_by_line(ada: Client, amber: Network) -> None:
    answer = upload(ada, "value,status\nGOOD,Accepted\nBAD,Maybe\nGOOD,Blocked\n")
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "tags.csv has 2 errors." in html
    assert "line 3: status: " in html
    assert "line 4: GOOD stands on line 2 already." in html
    assert "This field is required." in post(ada, "/id-tags/import/").content.decode()


def test_a_file_that_lists_nothing_is_told_so(ada: Client, amber: Network) -> None:
    assert "no id tag below it" in upload(ada, "value,note\n").content.decode()


def test_a_ticket_opens_only_its_owners_file(ada: Client, cleo: Client, amber: Network) -> None:
    html = upload(ada, "value\nNEW-1\n").content.decode()
    ticket = html.split('name="ticket" value="')[1].split('"')[0]
    post(cleo, "/id-tags/import/run/", ticket=ticket)
    with scopes_disabled():
        assert not IdToken.objects.exists()


def test_ben_sees_the_list_without_controls_and_may_change_nothing(ben: Client, amber: Network) -> None:
    known = amber.token("DEE-CARD")
    html = page(ben)
    assert listed(html) == [known.pk]
    for control in ("/id-tags/add/", "/id-tags/import/", f"/id-tags/{known.pk}/"):
        assert f'"{control}"' not in html
        assert ben.get(control).status_code == 403
    for path in (
        "/id-tags/add/",
        f"/id-tags/{known.pk}/",
        f"/id-tags/{known.pk}/status/",
        "/id-tags/import/",
        "/id-tags/import/run/",
    ):
        assert ben.post(path, {"status": "Blocked"}).status_code == 403, path
    assert tag("DEE-CARD").status == "Accepted"


def test_cleo_finds_none_of_adas_tags(cleo: Client, amber: Network) -> None:
    known = amber.token("DEE-CARD")
    assert listed(page(cleo)) == []
    assert cleo.get(f"/id-tags/{known.pk}/").status_code == 404
    assert cleo.post(f"/id-tags/{known.pk}/", {"value": "X"}).status_code == 404
    assert cleo.post(f"/id-tags/{known.pk}/status/", {"status": "Blocked"}).status_code == 404


def test_whoever_belongs_to_no_network_can_add_to_none(client: Client, amber: Network) -> None:
    client.force_login(amber.user("root", operator=None, is_superuser=True))
    amber.token("DEE-CARD")
    assert "DEE-CARD" in page(client)
    assert post(client, "/id-tags/add/", value="X").status_code == 403


def test_an_empty_list_leads_on(ada: Client, ben: Client) -> None:
    assert 'href="/id-tags/add/">Add the first one' in page(ada)
    assert "Add the first one" not in page(ben)
    assert "No id tag fits" in page(ada, "/id-tags/?q=x")


def test_a_tag_is_blocked_with_a_reason_that_goes_when_it_is_accepted_again(ada: Client, amber: Network) -> None:
    card = amber.token("CARD")
    post(ada, f"/id-tags/{card.pk}/status/", status="Blocked")
    html = page(ada)
    assert "Keep the reason" in html
    post(ada, f"/id-tags/{card.pk}/status/", status="Blocked", because="lost in the tram")
    assert "“lost in the tram”" in page(ada)
    assert "lost in the tram" in page(ada, "/id-tags/?q=tram")
    post(ada, f"/id-tags/{card.pk}/", value="CARD", type="ISO14443", status="Accepted", blocked_because="lost in the tram")
    assert (tag("CARD").status, tag("CARD").blocked_because) == ("Accepted", "")
    post(ada, f"/id-tags/{card.pk}/status/", status="Blocked", because="x" * 201)
    assert tag("CARD").status == "Accepted"


def test_a_tag_whose_time_is_over_is_called_expired(ada: Client, amber: Network) -> None:
    amber.token("OLD", expires_at=timezone.now() - timedelta(days=1))
    assert "expired" in page(ada)
