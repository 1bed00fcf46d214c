"""Views of a list, kept by each person for themselves."""

from django.test import Client

from accounts import services
from accounts.models import SavedView
from tests.dashboard.conftest import browser_of
from tests.network import Network


def save(browser: Client, name: str, query: str, page: str = "stations") -> str:
    answer = browser.post("/views/save/", {"page": page, "name": name, "query": query})
    return str(answer.get("Location", answer.status_code))


def test_a_view_is_saved_opened_and_deleted(ada: Client, amber: Network) -> None:
    amber.station(vendor="Alfen")
    assert "Save this view" in ada.get("/stations/?vendor=Alfen&cols=site").content.decode()
    assert save(ada, "Ours", "vendor=Alfen&cols=site") == "/stations/?vendor=Alfen&cols=site"
    html = ada.get("/stations/").content.decode()
    assert 'href="/stations/?vendor=Alfen&amp;cols=site">Ours</a>' in html
    html = ada.get("/stations/?cols=site&vendor=Alfen").content.decode()  # the same, said otherwise
    assert 'aria-current="true">Ours</a>' in html
    assert "Save this view" not in html
    view = SavedView.objects.get()
    assert ada.post(f"/views/{view.pk}/delete/")["Location"] == "/stations/?vendor=Alfen&cols=site"
    assert not SavedView.objects.exists()


def test_a_view_of_the_same_name_is_replaced(ada: Client) -> None:
    save(ada, "Mine", "q=1")
    save(ada, "Mine", "q=2")
    assert [view.query for view in SavedView.objects.all()] == ["q=2"]


def test_the_other_lists_have_views_too(ada: Client) -> None:
    save(ada, "Running", "status=active", "sessions")
    save(ada, "Blocked ones", "status=Blocked", "id_tags")
    assert 'aria-current="true">Running</a>' in ada.get("/transactions/?status=active").content.decode()
    assert 'aria-current="true">Blocked ones</a>' in ada.get("/id-tags/?status=Blocked").content.decode()


def test_views_are_a_persons_own(ada: Client, amber: Network, cleo: Client, ben: Client) -> None:
    save(ada, "Mine", "q=1")
    view = SavedView.objects.get()
    for other in (browser_of(amber, "bob"), cleo, ben):
        assert "Mine" not in other.get("/stations/").content.decode()
        assert other.post(f"/views/{view.pk}/delete/").status_code == 404
    # A list that one may look at, one may keep.
    assert save(ben, "Ben's", "q=2").startswith("/stations/")


def test_what_cannot_be_saved_is_refused_with_a_reason(ada: Client) -> None:
    assert save(ada, "x", "q=1", "admin:index") == "400"
    for name in ("", "x" * 61, "tab\there"):
        save(ada, name, "q=1")
        assert "The view was not saved:" in ada.get("/stations/").content.decode()
    assert save(ada, "ok", "q=a\r\nSet-Cookie: b").startswith("/stations/?q=a%0D%0ASet")
    assert SavedView.objects.count() == 1


def test_there_is_a_bound(ada: Client) -> None:
    for number in range(services.MOST_VIEWS + 1):
        save(ada, f"View {number}", "q=1")
    assert SavedView.objects.count() == services.MOST_VIEWS
    assert "delete one first" in ada.get("/stations/").content.decode()
