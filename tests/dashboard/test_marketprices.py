"""The pages of price series: which there are, a day of one, its gaps, and prices from a file."""

from datetime import UTC, timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scopes_disabled

from billing.seriesmodels import PricePoint, PriceSeries
from csms.dashboard.marketprices import Slot, chart_of
from tests.dashboard.tariffrows import following, market, midnight
from tests.dashboard.test_tariffs import night
from tests.network import Network


def csv(*lines: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("prices.csv", "\n".join(("start,price", *lines)).encode())


def prices(of: PriceSeries) -> list[Decimal]:
    with scopes_disabled():
        return list(PricePoint.objects.filter(series=of).order_by("start").values_list("price", flat=True))


def test_a_series_is_added_and_filled_from_a_file(ada: Client, amber: Network) -> None:
    assert "No series yet" in ada.get(reverse("price_series")).content.decode()
    typed = {"name": "Day-ahead", "currency": "eur", "unit": "MWh", "resolution_minutes": "60"}
    html = ada.post(reverse("price_series_add"), typed, follow=True).content.decode()
    assert "There is no price in it yet" in html
    with scopes_disabled():
        one = PriceSeries.objects.get(operator=amber.operator)
    fill = reverse("price_series_fill", args=[one.pk])
    start = midnight().strftime("%Y-%m-%dT%H:%M:%SZ")
    html = ada.post(fill, {"file": csv(f"{start},84.20")}, follow=True).content.decode()
    assert "1 price added, 0 changed, 0 known already." in html
    assert prices(one) == [Decimal("84.2")]
    html = ada.post(fill, {"file": csv(f"{start},84.20")}, follow=True).content.decode()
    assert "0 prices added, 0 changed, 1 known already." in html
    answer = ada.post(reverse("price_series_add"), typed)
    assert answer.status_code == 422
    assert "of this name already" in answer.content.decode()


@pytest.mark.parametrize(("line", "says"), [("noon,1", "Line 2"), ("2026-01-01T00:00:00Z,x", "is no price")])
def test_a_file_that_is_wrong_is_told_line_by_line_and_nothing_is_kept(ada: Client, amber: Network, line: str, says: str) -> None:
    one = market(amber, hours=0)
    answer = ada.post(reverse("price_series_fill", args=[one.pk]), {"file": csv(line)})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert "Nothing was kept of the file" in answer.content.decode()
    assert prices(one) == []
    assert ada.post(reverse("price_series_fill", args=[one.pk]), {}).status_code == 422


def test_a_day_shows_what_is_missing(ada: Client, amber: Network) -> None:
    one = market(amber, hours=30)
    with scopes_disabled():
        PricePoint.objects.filter(series=one, start=midnight() - timedelta(hours=4)).delete()
    day = timezone.localtime(midnight() - timedelta(hours=4)).date().isoformat()
    html = ada.get(reverse("price_series_one", args=[one.pk]), {"day": day}).content.decode()
    assert "Prices are missing:" in html
    assert ">missing<" in html
    assert "<polyline" in html
    nothing = ada.get(reverse("price_series_one", args=[one.pk]), {"day": "2020-01-01"}).content.decode()
    assert "No price of this day is known." in nothing


def test_that_prices_end_is_told_while_there_is_time_and_after_it(ada: Client, amber: Network) -> None:
    past, ahead = market(amber, "Old", hours=2), market(amber, "New", hours=72)
    assert "waits for its price" in ada.get(reverse("price_series_one", args=[past.pk])).content.decode()
    assert "waits for its price" not in ada.get(reverse("price_series_one", args=[ahead.pk])).content.decode()
    html = ada.get(reverse("price_series")).content.decode()
    assert html.count("none ahead") == 1


def test_it_is_removed_unless_a_tariff_follows_it(ada: Client, amber: Network) -> None:
    one, free = market(amber), market(amber, "Free")
    night(amber, name="Market", ocpi=following())
    html = ada.post(reverse("price_series_remove", args=[one.pk]), follow=True).content.decode()
    assert "The tariff Market follows it" in html
    ada.post(reverse("price_series_remove", args=[free.pk]))
    with scopes_disabled():
        assert [series.name for series in PriceSeries.objects.filter(operator=amber.operator)] == ["Day-ahead"]


def test_a_chart_is_apart_at_a_gap_and_knows_what_is_below_nothing() -> None:
    start = midnight().astimezone(UTC)
    given = (Decimal(10), None, Decimal(-10), Decimal(-10))
    chart = chart_of([Slot(start + timedelta(hours=hour), price) for hour, price in enumerate(given)])
    assert chart is not None
    assert (len(chart.lines), chart.zero, chart.low, chart.high) == (2, "80.0", -10, 10)
    assert chart.lines[1] == "360.0,160.0 540.0,160.0 540.0,160.0 720.0,160.0"
    assert chart_of([Slot(start, None)]) is None
