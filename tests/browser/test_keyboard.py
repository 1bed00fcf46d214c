"""The keys every page has, and journeys from the wall to their end by nothing but keys."""

import asyncio
import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests import peer
from tests.browser.conftest import Open
from tests.browser.test_operating import owned, recorded
from tests.browser.test_station import charger, live, tab_to
from tests.network import Network
from tests.servers import Server
from tests.test_downloads import logged


async def press(page: Page, target: Locator) -> None:
    """Walk to it with the tab key, see that one stands on it, and hit enter."""
    await tab_to(page, target)
    assert await target.evaluate("e => getComputedStyle(e).outlineStyle !== 'none' && e.matches(':focus-visible')")
    await page.keyboard.press("Enter")


async def keys(page: Page, *pressed: str) -> None:
    for key in pressed:
        await page.keyboard.press(key)


def path(page: Page) -> str:
    return re.sub(r"^https?://[^/]+", "", page.url)


# The keys


async def test_a_question_mark_tells_which_keys_there_are(browse: Open) -> None:
    page = await browse()
    dialog = page.get_by_role("dialog", name="Keys")
    await expect(dialog).to_have_count(0)
    await keys(page, "?")
    for word in ("Network", "Chargers", "Sessions", "Id tags", "Search on this page"):
        await expect(dialog.get_by_text(word, exact=True)).to_be_visible()
    await keys(page, "g", "s")  # first the dialog
    assert path(page) == "/"
    await keys(page, "Escape")
    await expect(dialog).to_have_count(0)
    await keys(page, "?", "Enter")  # the first button closes it
    await expect(dialog).to_have_count(0)


@pytest.mark.long
async def test_g_and_a_letter_go_where_the_navigation_goes(browse: Open) -> None:
    page = await browse()
    links: list[str] = await page.evaluate("[...document.querySelectorAll('.nav a')].map(one => one.getAttribute('href'))")
    keyed: dict[str, str] = await page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('#keys [data-key]')].map(one => [one.dataset.key, one.dataset.to]))"
    )
    assert sorted(keyed.values()) == sorted(links)
    assert keyed.items() >= {"w": "/", "s": "/stations/", "t": "/transactions/", "i": "/id-tags/"}.items()
    for key, to in keyed.items():
        await keys(page, "g", key)
        await expect(page).to_have_url(re.compile(re.escape(to) + "$"))
        await page.wait_for_load_state()
    await keys(page, "g", "x", "s")
    assert path(page) == to


async def test_a_slash_goes_to_the_search_field_where_letters_are_letters(browse: Open, uvicorn: Server, network: Network) -> None:
    network.station()
    page = await browse()
    await page.goto(f"{uvicorn.http}/stations/")
    await keys(page, "/")
    await page.keyboard.type("g/w?")
    await expect(page.get_by_label("Search", exact=True)).to_have_value("g/w?")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert path(page).startswith("/stations/")


async def test_a_page_with_messages_tells_its_own_keys_and_each_acts_once(browse: Open, uvicorn: Server, network: Network) -> None:
    logged(network.station(), 3)
    page = await browse()
    await page.goto(f"{uvicorn.http}/messages/")
    await live(page)
    dialog = page.get_by_role("dialog", name="Keys")
    await keys(page, "?")
    for word in ("The next message", "The message before", "Open the message", "Pause updates, or resume"):
        await expect(dialog.get_by_text(word, exact=True)).to_be_visible()
    await keys(page, "j", "p")  # first the dialog
    await expect(page.get_by_role("button", name="Pause updates")).to_be_attached()
    await keys(page, "Escape", "p")
    await expect(page.get_by_role("button", name="Resume updates")).to_be_visible()
    await keys(page, "g", "j", "j")  # after g a letter names a page, or nothing
    assert await page.evaluate("document.activeElement.closest('tr').rowIndex") == 1
    await keys(page, "/")
    await page.keyboard.type("jp")
    await expect(page.locator("#q")).to_have_value("jp")
    await page.locator("#log-rows th a").first.wait_for(state="detached")


async def test_escape_closes_what_is_open_and_does_not_leave_the_page(browse: Open, uvicorn: Server, network: Network) -> None:
    logged(station := network.station(), 1)
    page = await browse()
    await page.goto(f"{uvicorn.http}/stations/{station.identity}/messages/{network.log(station)[0].pk}/")
    await keys(page, "?", "Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert "/messages/" in path(page)
    await keys(page, "Escape")
    await expect(page).to_have_url(re.compile("tab=messages"))


async def test_keys_can_be_turned_off_and_stay_off_in_this_browser(browse: Open, uvicorn: Server, network: Network) -> None:
    logged(network.station(), 1)
    page = await browse()
    await page.get_by_role("button", name="Keys").click()
    await page.get_by_label("Turn off the keys that are letters").check()
    await page.get_by_role("button", name="Close").click()
    for address in ("/", "/messages/"):
        await page.goto(f"{uvicorn.http}{address}")
        await live(page)
        await keys(page, "?", "g", "s", "j", "p")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.get_by_role("button", name="Pause updates")).to_be_visible()
        assert path(page) == address
    await page.get_by_role("button", name="Keys").click()
    await page.get_by_label("Turn off the keys that are letters").uncheck()
    await keys(page, "Escape", "p")
    await expect(page.get_by_role("button", name="Resume updates")).to_be_visible()


@pytest.mark.parametrize("held", ["Control", "Alt", "Meta"])
async def test_no_key_acts_with_a_modifier(browse: Open, uvicorn: Server, network: Network, held: str) -> None:
    network.station()
    page = await browse()
    await page.goto(f"{uvicorn.http}/stations/")
    await keys(page, f"{held}+g", "t", f"{held}+?", f"{held}+/")
    assert path(page) == "/stations/"
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_label("Search", exact=True)).not_to_be_focused()


async def test_the_first_tab_leads_past_the_navigation(browse: Open) -> None:
    page = await browse()
    await keys(page, "Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport(ratio=1)
    await keys(page, "Enter")
    await expect(page.locator("#main")).to_be_focused()


# The journeys


@pytest.mark.long
async def test_a_session_is_found_on_the_wall_and_stopped(browse: Open, uvicorn: Server, network: Network) -> None:
    network.token("CARD")
    known = network.station(accepted=True)
    async with peer.station(uvicorn.ocpp, known) as socket:
        await socket.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"})
        number = await socket.start("CARD", at=peer.ago(600))
        [running] = network.transactions(known)
        page = await browse()
        await press(page, page.locator(f"#running #transaction-{running.pk} th a"))
        await expect(page).to_have_url(re.compile(rf"/transactions/{running.pk}/$"))
        await tab_to(page, page.get_by_label("Why (optional)"))
        await page.keyboard.type("The car is needed")
        await press(page, page.get_by_role("button", name="Stop this session"))
        message_id, action, payload = await socket.asked()
        assert (action, payload) == ("RemoteStopTransaction", {"transactionId": number})
        await expect(page.locator("#commands")).to_contain_text("The car is needed")
        await socket.tell(message_id, {"status": "Accepted"})
        await socket.stop(number, 4000, reason="Remote")
        await expect(page.locator("#session-now")).to_contain_text("Finished")
        await keys(page, "g", "w")
        await expect(page.locator(f"#finished #transaction-{running.pk}")).to_be_visible()


@pytest.mark.long
async def test_one_is_started_by_card_number(browse: Open, uvicorn: Server, network: Network) -> None:
    network.token("DEE-CARD")
    async with charger(uvicorn, network) as (socket, known):
        page = await browse()
        await keys(page, "g", "s")
        await expect(page).to_have_url(re.compile("/stations/$"))
        await keys(page, "/")
        await page.keyboard.type(known.identity[-2:])
        await press(page, page.get_by_role("link", name=known.identity))
        await press(page, page.get_by_role("link", name="Commands"))
        await press(page, page.get_by_role("link", name="Start charging"))
        await tab_to(page, page.get_by_label("Id tag"))
        await page.keyboard.type("DEE-CARD\n")
        message_id, action, payload = await socket.asked()
        assert (action, payload["idTag"]) == ("RemoteStartTransaction", "DEE-CARD")
        await live(page)
        await socket.tell(message_id, {"status": "Accepted"})
        await socket.start("DEE-CARD", at=peer.ago(0))
        await expect(page.locator(".command").first.locator(".dot.is-done")).to_have_count(4)


@pytest.mark.long
async def test_a_new_charger_is_seen_on_the_wall_and_accepted(browse: Open, uvicorn: Server, network: Network) -> None:
    identity = f"{network.prefix}-NEW"
    page = await browse()
    # With a password that no charger may have, it gets one that is made.
    assert (await peer.refusal(uvicorn.ocpp, identity, headers=peer.basic(identity, "short"))).status_code == 404
    async with asyncio.timeout(30):
        while not recorded(identity):
            await asyncio.sleep(0.02)
    owned(network, identity)
    await keys(page, "g", "w")
    await expect(page.locator("#refusals")).to_contain_text(identity)
    await live(page)
    await press(page, page.get_by_role("link", name="Accept a charger, or see why it is turned away"))
    await press(page, page.get_by_role("button", name=f"Accept {identity}"))
    await expect(page.get_by_text(f"Waiting for {identity} to dial in…")).to_be_visible()
    password = await page.locator("#secret-password").inner_text()
    async with peer.station(uvicorn.ocpp, identity, headers=peer.basic(identity, password)) as socket:
        await socket.boot()
        await expect(page.locator("#arrival")).to_contain_text(f"{identity} is connected.")
        await press(page, page.get_by_role("link", name="To its page"))
        await expect(page.get_by_role("heading", level=1)).to_contain_text(identity)
