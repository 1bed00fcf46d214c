"""What a version of a tariff keeps of an OCPI object: prices within bounds, and no more than is known."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from billing import kept
from billing.tariff import parse

PRICE = {"type": "ENERGY", "price": 0.3, "vat": 19, "step_size": 1}


def of(**fields: Any) -> dict[str, Any]:
    ocpi = {"currency": "EUR", "elements": [{"price_components": [PRICE]}]} | fields
    return kept.of(ocpi, parse(ocpi))


def priced(**fields: Any) -> list[dict[str, Any]]:
    return [{"price_components": [PRICE | fields]}]


def test_what_is_no_price_is_left_out() -> None:
    element = {"price_components": [PRICE | {"colour": 1e400}], "restrictions": {"min_kwh": 5, "max_kwh": None}, "x": ["y"] * 9}
    ocpi = {"id": "1", "elements": [element], "min_price": {"excl_vat": 1, "note": "n"}, "energy_mix": {}}
    assert of(**ocpi) == {
        "elements": [{"price_components": [PRICE], "restrictions": {"min_kwh": 5}}],
        "min_price": {"excl_vat": 1},
    }
    assert kept.unknown(ocpi) == {"colour", "x"}


def test_texts_and_their_address_are_kept() -> None:
    texts = [{"language": "en", "text": "0.30 a kWh"}, {"language": "de", "text": "0,30 je kWh"}]
    found = of(tariff_alt_text=texts, tariff_alt_url="https://example.org/prices")
    assert (found["tariff_alt_text"], found["tariff_alt_url"]) == (texts, "https://example.org/prices")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"elements": priced(price=1e8)}, "below 100000000"),
        ({"elements": priced(series_factor=1000)}, "a factor below 1000"),
        ({"elements": priced(vat=101)}, "100 percent at most"),
        ({"elements": priced(step_size=10**8)}, "step_size must be"),
        ({"max_price": {"excl_vat": 1, "incl_vat": 1e8}}, "below 100000000"),
        ({"elements": [{"price_components": [PRICE], "restrictions": {"max_kWh": 5}}]}, "not known: max_kWh. Known: start_time"),
        ({"tariff_alt_text": "0.30 a kWh"}, "must be a list of texts"),
        ({"tariff_alt_text": [{"language": "en"}]}, "must be a list of texts"),
        ({"tariff_alt_text": [{"language": "en", "text": "x" * 513}]}, "512 characters"),
        ({"tariff_alt_text": [{"language": "en", "text": "\ud800"}]}, "must be a list of texts"),
        ({"tariff_alt_text": [{"language": "en", "text": "x"}] * 201}, "must be a list of texts"),
        ({"tariff_alt_url": "javascript:alert(1)"}, "begins with http"),
        ({"tariff_alt_url": ["https://example.org"]}, "begins with http"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_the_reason(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        of(**fields)
