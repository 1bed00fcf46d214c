"""What a version of a tariff keeps of an OCPI 2.2.1 Tariff object: what it says of prices, within bounds, and nothing else."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from billing.tariff import Dimension, Limit, Tariff

#: What is kept of a Tariff object, of its elements, of their prices and of what restricts them.
KEPT = ("elements", "min_price", "max_price", "tariff_alt_text", "tariff_alt_url")
OF_ELEMENT = ("price_components", "restrictions")
OF_PRICE = ("type", "price", "vat", "step_size", "price_series", "series_factor")
OF_LIMIT = ("excl_vat", "incl_vat")
OF_RESTRICTIONS = (
    *("start_time", "end_time", "start_date", "end_date", "min_kwh", "max_kwh", "min_current", "max_current", "min_power"),
    *("max_power", "min_duration", "max_duration", "day_of_week", "reservation"),
)
#: Lists and columns have room for so much.
HIGHEST_PRICE, HIGHEST_TAX, LONGEST_STEP, HIGHEST_FACTOR = Decimal(10**8), Decimal(100), 10**7, Decimal(1000)
#: People say prices by the minute where OCPI says them by the hour.
PER_UNIT = {Dimension.TIME: 60, Dimension.PARKING_TIME: 60}
#: OCPI 2.2.1 DisplayText and URL; as many languages as there are.
LONGEST_TEXT, LONGEST_URL, MOST_TEXTS = 512, 255, 200


def of(ocpi: Mapping[str, Any], read: Tariff) -> dict[str, Any]:
    """What is kept of an object that the engine could read. Raises ValidationError.

    Fields that are not known are left out, but not among restrictions: without one that is misspelt a price would hold always.
    """
    _check(read)
    body = {name: ocpi[name] for name in KEPT if ocpi.get(name) is not None}
    body["elements"] = [_element(number, one) for number, one in enumerate(body["elements"], start=1)]
    for name in ("min_price", "max_price"):
        if name in body:
            body[name] = _only(body[name], OF_LIMIT)
    if "tariff_alt_text" in body:
        body["tariff_alt_text"] = _texts(body["tariff_alt_text"])
    url = body.get("tariff_alt_url", "http")
    if not isinstance(url, str) or len(url) > LONGEST_URL or not url.startswith("http") or not _is_text(url):
        raise ValidationError({"ocpi": _("tariff_alt_url must be an address that begins with http, of %(n)s characters at most.")
                                       % {"n": LONGEST_URL}})  # fmt: skip
    return body


def unknown(ocpi: Mapping[str, Any]) -> set[str]:
    """The fields of an object's elements that are not kept. The engine could read it."""
    found: set[str] = set()
    for element in ocpi["elements"]:
        found |= element.keys() - set(OF_ELEMENT)
        for component in element["price_components"]:
            found |= component.keys() - set(OF_PRICE)
    return found


def _check(read: Tariff) -> None:
    components = [one for element in read.elements for one in element.components]
    if any(
        one.price >= HIGHEST_PRICE * PER_UNIT.get(one.dimension, 1) or one.factor >= HIGHEST_FACTOR for one in components
    ) or any(amount >= HIGHEST_PRICE for amount in _amounts(read.min_price, read.max_price)):
        raise ValidationError({"ocpi": _("A price must be below %(n)s, and a factor below %(factor)s.")
                                       % {"n": HIGHEST_PRICE, "factor": HIGHEST_FACTOR}})  # fmt: skip
    if any(one.vat is not None and one.vat > HIGHEST_TAX for one in components):
        raise ValidationError({"ocpi": _("A tax must be %(n)s percent at most.") % {"n": HIGHEST_TAX}})
    if any(one.step_size > LONGEST_STEP for one in components):
        raise ValidationError({"ocpi": _("A step_size must be %(n)s at most.") % {"n": LONGEST_STEP}})


def _amounts(*limits: Limit | None) -> Iterator[Decimal]:
    for limit in limits:
        if limit is not None:
            yield limit.excl_tax
            if limit.incl_tax is not None:
                yield limit.incl_tax


def _element(number: int, given: Mapping[str, Any]) -> dict[str, Any]:
    element = _only(given, OF_ELEMENT)
    element["price_components"] = [_only(one, OF_PRICE) for one in element["price_components"]]
    restrictions = element.get("restrictions") or {}
    if strange := sorted(str(name) for name in restrictions.keys() - set(OF_RESTRICTIONS)):
        told = {"n": number, "names": ", ".join(strange)[:100], "known": ", ".join(OF_RESTRICTIONS)}
        raise ValidationError({"ocpi": _("Element %(n)s has restrictions that are not known: %(names)s. Known: %(known)s.") % told})
    if "restrictions" in element:
        element["restrictions"] = _only(restrictions, OF_RESTRICTIONS)
    return element


def _only(given: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in names and value is not None}


def _texts(given: Any) -> list[dict[str, str]]:
    texts = given if isinstance(given, list) else []
    found = [_only(one, ("language", "text")) if isinstance(one, Mapping) else {} for one in texts[:MOST_TEXTS]]
    if not isinstance(given, list) or len(given) > MOST_TEXTS or not all(_is_display_text(one) for one in found):
        raise ValidationError({"ocpi": _("tariff_alt_text must be a list of texts, each with language and text (%(n)s characters "
                                         "at most).") % {"n": LONGEST_TEXT}})  # fmt: skip
    return found


def _is_display_text(one: Mapping[str, Any]) -> bool:
    language, text = one.get("language"), one.get("text")
    return (
        isinstance(language, str)
        and isinstance(text, str)
        and 0 < len(language) <= 35
        and len(text) <= LONGEST_TEXT
        and _is_text(language + text)
    )


def _is_text(text: str) -> bool:
    """Not what no column keeps: NUL, or half a surrogate pair."""
    try:
        return "\x00" not in text and bool(text.encode() or True)
    except UnicodeEncodeError:
        return False
