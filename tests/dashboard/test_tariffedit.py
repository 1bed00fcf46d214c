"""The form of a tariff: made and changed without JSON, also without a script; what it cannot say stays as it is."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_scopes import scopes_disabled

from billing.models import Tariff, TariffVersion
from tests.dashboard.tariffrows import NIGHT, RESERVED, following, market
from tests.dashboard.test_tariffs import night
from tests.network import Network

TYPED = {"name": "Nights", "currency": "eur", "tax": "25", "energy": "0.40", "per": "minute", "step": "1"}
ROW = {"row": "0", "row0-begin": "22:00", "row0-end": "06:00", "row0-energy": "0.20"}
SENTENCE = "0.25\u202fEUR per kWh from 22:00 to 06:00 and otherwise 0.50\u202fEUR per kWh, tax included."


def of(network: Network) -> list[Tariff]:
    with scopes_disabled():
        return list(Tariff.objects.filter(operator=network.operator).order_by("pk"))


def newest(one: Tariff) -> TariffVersion:
    with scopes_disabled():
        return TariffVersion.objects.filter(tariff=one).order_by("-number")[0]


def test_a_night_tariff_is_made_without_json(ada: Client, amber: Network) -> None:
    answer = ada.post(reverse("tariff_add"), TYPED | ROW, follow=True)
    (one,) = of(amber)
    assert (one.name, one.currency, one.is_default) == ("Nights", "EUR", True)
    assert newest(one).ocpi["elements"] == NIGHT["elements"]
    assert SENTENCE in answer.content.decode()
    # The second one applies nowhere by itself.
    ada.post(reverse("tariff_add"), TYPED | {"name": "Days"})
    assert [tariff.is_default for tariff in of(amber)] == [True, False]


def test_the_sentence_is_shown_before_anything_is_kept(ada: Client, amber: Network) -> None:
    html = ada.post(reverse("tariff_add"), TYPED | ROW | {"do": "preview", "name": ""}).content.decode()
    assert SENTENCE in html
    assert of(amber) == []
    ada.post(reverse("language"), {"language": "de"})
    html = ada.post(reverse("tariff_add"), TYPED | ROW | {"do": "preview"}).content.decode()
    assert "0,25\u202fEUR" in html


def test_rows_come_go_and_move_without_a_script_and_nothing_typed_is_lost(ada: Client, amber: Network) -> None:
    add = reverse("tariff_add")
    html = ada.post(add, TYPED | {"do": "add:night", "energy": "x"}).content.decode()
    assert 'name="row0-begin" value="22:00"' in html
    assert 'name="energy" value="x"' in html
    assert "field-error" not in html
    both = TYPED | ROW | {"row": ["0", "4"], "row4-days": ["SATURDAY"], "row4-flat": "1"}
    html = ada.post(add, both | {"do": "add:power"}).content.decode()
    assert 'name="row5-above_kw" value="50"' in html
    html = ada.post(add, both | {"do": "up:4"}).content.decode()
    assert html.index('id="row-4"') < html.index('id="row-0"')
    assert 'value="SATURDAY" id="id_row4-days_5" checked' in html
    html = ada.post(add, both | {"do": "remove:0"}).content.decode()
    assert 'id="row-0"' not in html
    assert of(amber) == []
    many = TYPED | {"row": [str(number) for number in range(20)], "do": "add:other"}
    assert ada.post(add, many).content.decode().count('class="tariff-part tariff-row"') == 20


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"name": ""}, "name", "required"),
        ({"tax": ""}, "tax", "required"),
        ({"tax": "101"}, "tax", "less than or equal"),
        ({"energy": "-1"}, "energy", "greater than or equal"),
        ({"energy": "0.12345"}, "energy", "4 decimal places"),
        ({"currency": "KWD"}, "currency", "two decimals"),
        ({"least": "5", "most": "1"}, "most", "less than the least"),
        ({"row0-energy": ""}, "row0-energy", "at least one price"),
        ({"row0-begin": "", "row0-end": ""}, "row0-begin", "Say when"),
        ({"row0-end": "22:00"}, "row0-end", "whole day"),
        ({"row0-after_kwh": "9", "row0-until_kwh": "3"}, "row0-until_kwh", "never so"),
    ],
)
def test_what_is_wrong_stands_at_its_field(ada: Client, amber: Network, typed: dict[str, Any], field: str, says: str) -> None:
    answer = ada.post(reverse("tariff_add"), TYPED | ROW | typed)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert f'href="#id_{field}' in html
    assert says in html
    assert of(amber) == []


def test_a_version_from_a_day_on_begins_with_what_is_valid_now(ada: Client, amber: Network) -> None:
    one = night(amber, ocpi=NIGHT | {"tariff_alt_text": [{"language": "en", "text": "Nights"}]})
    change = reverse("tariff_change", args=[one.pk])
    html = ada.get(change).content.decode()
    assert 'name="row0-energy" value="0.2"' in html
    assert 'name="energy" value="0.4"' in html
    assert SENTENCE in html
    begins = timezone.localtime() + timedelta(days=2)
    typed = {**TYPED, **ROW, "energy": "0.44", "valid_from": begins.strftime("%Y-%m-%dT%H:%M"), "note": "New year"}
    html = ada.post(change, typed, follow=True).content.decode()
    assert "Version 2 is kept" in html
    made = newest(one)
    assert (made.number, made.note, made.created_by_id is not None) == (2, "New year", True)
    assert made.valid_from == begins.replace(second=0, microsecond=0)
    assert made.ocpi["tariff_alt_text"] == [{"language": "en", "text": "Nights"}]
    assert made.ocpi["elements"][1]["price_components"][0]["price"] == 0.44
    # A later one is there now, and the past stays as it was.
    assert "A later version is there already" in ada.post(change, TYPED | ROW).content.decode()
    past = typed | {"valid_from": "2020-01-01T00:00"}
    assert "cannot change in the past" in ada.post(change, past).content.decode()


def test_energy_can_follow_a_market(ada: Client, amber: Network) -> None:
    market(amber)
    assert "Day-ahead" in ada.get(reverse("tariff_add")).content.decode()
    ada.post(reverse("tariff_add"), TYPED | {"energy": "0.05", "series": "Day-ahead"})
    (one,) = of(amber)
    assert newest(one).ocpi["elements"] == following()["elements"]
    assert '<option value="Day-ahead" selected>' in ada.get(reverse("tariff_change", args=[one.pk])).content.decode()
    html = ada.get(reverse("tariff", args=[one.pk])).content.decode()
    assert "the market&#x27;s price plus 0.0625" in html


def test_what_the_form_cannot_say_is_shown_kept_and_changed_as_json(ada: Client, amber: Network) -> None:
    one = night(amber, ocpi=RESERVED)
    change = reverse("tariff_change", args=[one.pk])
    html = ada.get(change).content.decode()
    assert "says more than the form has fields for" in html
    assert "RESERVATION" in html
    other = RESERVED | {"min_price": {"excl_vat": 1}}
    html = ada.post(change, {"text": json.dumps(other), "do": "preview"}).content.decode()
    assert "at least 1.25" in html
    assert newest(one).number == 1
    ada.post(change, {"text": json.dumps(other)})
    assert newest(one).ocpi == other
    assert ada.post(change, {"text": json.dumps(other | {"currency": "DKK"})}).status_code == 422


def test_what_the_form_can_say_may_be_changed_as_json_too(ada: Client, amber: Network) -> None:
    one = night(amber)
    change = reverse("tariff_change", args=[one.pk]) + "?as=json"
    assert "By the form" in ada.get(change).content.decode()
    ada.post(change, {"text": json.dumps(RESERVED)})
    assert newest(one).ocpi == RESERVED


OBJECT = {
    "id": "12", "country_code": "DE", "party_id": "ALL", "currency": "EUR", "type": "AD_HOC_PAYMENT",
    "tariff_alt_text": [{"language": "en", "text": "Nights at the pier"}], "last_updated": "2026-01-01T00:00:00Z",
    "elements": [{"note": "cheap"} | one for one in NIGHT["elements"]],
}  # fmt: skip


def test_a_tariff_is_imported_from_a_file_or_a_field(ada: Client, amber: Network) -> None:
    path = reverse("tariff_import")
    html = ada.post(
        path, {"file": SimpleUploadedFile("t.json", json.dumps({"data": [OBJECT]}).encode())}, follow=True
    ).content.decode()
    assert "Not kept, as it is no price: note, type." in html
    assert newest(of(amber)[0]).ocpi["elements"] == NIGHT["elements"]
    ada.post(path, {"name": "Mine", "text": json.dumps(OBJECT)})
    assert [one.name for one in of(amber)] == ["Nights at the pier", "Mine"]
    assert newest(of(amber)[0]).ocpi["elements"] == NIGHT["elements"]
    html = ada.post(path, {"text": json.dumps(OBJECT), "do": "preview"}).content.decode()
    assert SENTENCE in html
    assert len(of(amber)) == 2


def broken(**more: Any) -> str:
    part = {"type": "ENERGY", "price": 0.2, "vat": 25, "step_size": 1}
    element = {"price_components": [part | more.pop("component", {})], "restrictions": more.pop("restrictions", {})}
    return json.dumps({"currency": "EUR", "elements": [NIGHT["elements"][0], element]} | more)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Choose a file, or paste"),
        ("{\n  'currency'", "Line 2, column 3: this is no JSON"),
        ("[]", "There are 0 tariffs in it"),
        ("[{}, {}]", "There are 2 tariffs in it"),
        ("7", "A Tariff object is expected"),
        ("[" * 100_000, "nested too deeply"),
        ('{"elements": NaN}', "a number that is none"),
        ('{"elements": "\\u0000"}', "U+0000"),
        ('{"tariff_alt_text": "\\ud800"}', "half a surrogate pair"),
        ('{"elements": 1e999}', "number is too large"),
        (broken(restrictions={"max_kWh": 9}), "restrictions that are not known: max_kWh"),
        (broken(component={"price": 1e9}), "below 100000000"),
        ("{}", "elements: must be a list with at least one item."),
        (broken(component={"type": "WATER"}), "element 2, price 1, type: must be one of ENERGY"),
        (broken(component={"price": -1}), "element 2, price 1, price: must be a number that is not negative."),
        (broken(component={"step_size": 0.5}), "element 2, price 1, step_size: must be a whole number"),
        (broken(component={"price_series": "None such"}), "names no price series of your network"),
        (broken(restrictions={"start_time": "25:00"}), "element 2, its restrictions, start_time: must be a time such as 17:30."),
        (broken(restrictions={"day_of_week": "MONDAY"}), "must be a list of MONDAY"),
        (broken(restrictions=7), "element 2, its restrictions: must be an object"),
        (broken(currency="euro"), "currency"),
        (broken(min_price={}), "min_price, excl_vat: must be a number"),
    ],
)
def test_an_import_that_is_refused_says_where_and_why(ada: Client, amber: Network, text: str, says: str) -> None:
    answer = ada.post(reverse("tariff_import"), {"text": text})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert of(amber) == []


def test_a_file_that_is_too_large_or_no_text_is_refused(ada: Client, amber: Network) -> None:
    for content, says in ((b" " * 500_001, "too large"), (b"\xff\xfe", "not UTF-8")):
        answer = ada.post(reverse("tariff_import"), {"file": SimpleUploadedFile("t.json", content)})
        assert says in answer.content.decode()


def test_a_tariff_without_tax_keeps_none(ada: Client, amber: Network) -> None:
    part = {"type": "ENERGY", "price": 0.3, "step_size": 1}
    one = night(amber, ocpi={"elements": [{"price_components": [part]}]})
    ada.post(reverse("tariff_change", args=[one.pk]), TYPED | {"tax": "", "energy": "0.31"})
    assert newest(one).ocpi["elements"] == [{"price_components": [part | {"price": 0.31}]}]
