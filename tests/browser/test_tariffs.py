"""A night tariff by keyboard alone: made, its sentence seen while one types, assigned to a site, and tried on a past session."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_scopes import scopes_disabled
from playwright.async_api import Page

from stations.models import Site
from tests.browser.conftest import Open, holds
from tests.dashboard.rows import finished, plug
from tests.database import tables
from tests.network import Network

pytestmark = pytest.mark.long


@tables
def pier(network: Network) -> None:
    with scopes_disabled():
        Site.objects.create(operator=network.operator, name="Pier")


async def tab_to(page: Page, selector: str, most: int = 120) -> None:
    """As somebody without a mouse goes there."""
    for _ in range(most):
        if await page.evaluate("(wanted) => document.activeElement?.matches(wanted)", selector):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {selector}.")


async def test_a_night_tariff_is_made_assigned_and_tried_by_keyboard(browse: Open, network: Network) -> None:
    pier(network)
    past = finished(plug(network), started_at=timezone.now() - timedelta(hours=2))
    page = await browse()
    await page.keyboard.press("g")
    await page.keyboard.press("u")
    await page.wait_for_url("**/tariffs/")
    await tab_to(page, "a[href='/tariffs/add/']")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/tariffs/add/")

    await tab_to(page, "#id_name")
    await page.keyboard.type("Night at the pier")
    await tab_to(page, "#id_energy")
    await page.keyboard.type("0.40")
    await tab_to(page, "#id_tax")
    await page.keyboard.type("25")
    sentence = "document.getElementById('tariff-sentence').textContent"
    await holds(page, f"{sentence}.includes('0.50\\u202fEUR per kWh, tax included')")
    await tab_to(page, "button[value='add:night']")
    await page.keyboard.press("Enter")
    await holds(page, "document.activeElement.id === 'id_row0-begin'")
    await tab_to(page, "#id_row0-energy")
    await page.keyboard.type("0.20")
    await holds(page, f"{sentence}.includes('0.25\\u202fEUR per kWh from 22:00 to 06:00')")
    # A row too much goes again, and what was typed stays.
    await tab_to(page, "button[value='add:weekend']")
    await page.keyboard.press("Enter")
    await holds(page, "document.activeElement.id === 'id_row1-begin'")
    await tab_to(page, "button[value='remove:1']")
    await page.keyboard.press("Enter")
    await holds(page, "!document.getElementById('row-1') && document.getElementById('id_row0-energy').value === '0.20'")
    await tab_to(page, "#tariff-save")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#versions-title")
    assert "from 22:00 to 06:00" in await page.inner_text("#sentence")

    await tab_to(page, "#id_site")
    await page.keyboard.type("Pier")
    await tab_to(page, "#assign button.main")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#places td")
    assert "Pier" in await page.inner_text("#places table")

    await page.goto(f"{page.url.split('/tariffs/')[0]}/transactions/{past.pk}/")
    await tab_to(page, "a[href*='what-if']")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".tariff-column")
    assert "Night at the pier, version 1" in await page.inner_text(".tariff-column")
    # 7.5 kWh, by day or by night.
    total = await page.inner_text(".tariff-column .total .number")
    assert total in ("3.75\u202fEUR", "1.88\u202fEUR") or float(total.split("\u202f")[0]) < 3.75
