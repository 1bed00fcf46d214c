"""What a receipt says: all that is printed, in words, numbers and dates of one language, whatever becomes of what it is made of.

Pages and PDFs print the content as it stands. A change of what a receipt says is a new `VERSION`, with a template of its own.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils import timezone, translation
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from billing import money, sentences, series, tariff
from billing.models import ChargeRecord
from billing.receiptmodels import Issuer, Receipt
from stations.cases import time_zone_of
from stations.models import SignedReading, Transaction

VERSION = 1
#: Between a number and its unit: thin, and never the end of a line.
SPACE = "\u202f"
#: Decimals of a volume or a cost, and of a single price: a market has five of a kWh.
MOST_DECIMALS, PRICE_DECIMALS = 4, 6
DIMENSIONS: dict[str, str | Promise] = {
    "ENERGY": gettext_lazy("Energy"),
    "TIME": gettext_lazy("Charging time"),
    "PARKING_TIME": gettext_lazy("Time parked after charging"),
    "FLAT": gettext_lazy("Per session"),
    "RESERVATION": gettext_lazy("Reservation"),
    "MIN_PRICE": gettext_lazy("Up to the minimum price"),
    "MAX_PRICE": gettext_lazy("Down to the maximum price"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a receipt is made of. `credited`: the one that a credit note takes back; `replaced`: the one it comes in place of."""

    record: ChargeRecord
    issuer: Issuer
    label: str
    at: datetime
    language: str
    credited: Receipt | None = None
    replaced: Receipt | None = None

    @property
    def zone(self) -> str:
        return time_zone_of(self.record.transaction)


def content(facts: Facts) -> dict[str, Any]:
    """As it is kept."""
    with translation.override(facts.language), timezone.override(facts.zone):
        record, t = facts.record, facts.record.transaction
        kind = record.kind
        heading = _("Credit note") if kind == "credit" else _("Receipt")
        signed = _signed(t)
        return {
            "version": VERSION,
            "language": facts.language,
            "direction": "rtl" if get_language_info(facts.language)["bidi"] else "ltr",
            "kind": kind,
            "heading": heading,
            "title": f"{heading} {facts.label}",
            "number": [_("Number"), facts.label],
            "date": [_("Date"), _day(facts.at)],
            "customer": _("For"),
            "issuer": _issuer(facts.issuer),
            "facts": _rows(facts),
            "table": _table(record),
            "notes": _notes(facts, signed=signed),
            "page": _("Page %(page)s of %(pages)s"),
            "data": _data(facts, signed=signed),
        }


def _issuer(issuer: Issuer) -> dict[str, Any]:
    name = issuer.legal_name or issuer.operator.name
    lines = [line.strip() for line in issuer.address.splitlines() if line.strip()]
    if name != issuer.operator.name:
        lines.append(issuer.operator.name)
    told = [(_("VAT number"), issuer.vat_id), (_("Company register"), issuer.register), (_("Contact"), issuer.contact)]
    return {
        "name": name,
        "lines": lines,
        "details": [[label, value] for label, value in told if value],
        "footer": issuer.footer,
        "complete": issuer.complete,
    }


def _rows(facts: Facts) -> list[list[str]]:
    """What it is about: label and value."""
    record, t = facts.record, facts.record.transaction
    site = t.at_site
    found: list[tuple[str, str]] = []
    if facts.credited is not None:
        issued = {"number": facts.credited.label, "day": _day(facts.credited.created_at)}
        found.append((_("Takes back"), _("receipt %(number)s of %(day)s") % issued))
    if facts.replaced is not None:
        issued = {"number": facts.replaced.label, "day": _day(facts.replaced.created_at)}
        found.append((_("In place of"), _("receipt %(number)s of %(day)s") % issued))
    if record.reason:
        found.append((_("Reason"), record.reason))
    found.append((_("Session"), str(t.pk)))
    charger = t.station.identity
    if t.evse:
        charger = _("%(charger)s, plug %(number)s") % {"charger": charger, "number": t.evse.number}
    found.append((_("Charger"), charger))
    if site:
        found.append((_("Place"), ", ".join(part for part in (site.name, site.address, site.city) if part)))
    start, stop = started_at(record), stopped_at(record)
    if record.reserved_at:
        found.append((_("Reserved since"), _moment(record.reserved_at)))
    found.append((_("From"), _moment(start)))
    if record.charging_ended_at:
        found.append((_("Only parked since"), _moment(record.charging_ended_at)))
    if stop:
        found.append((_("Until"), _moment(stop)))
        found.append((_("Duration"), _duration(start, stop)))
    found.append((_("Energy"), _kwh(record.energy_wh)))
    if registers := _registers(facts):
        register = {"from": _kwh(registers[0]), "to": _kwh(registers[1])}
        found.append((_("Meter"), _("from %(from)s to %(to)s") % register))
    return [list(row) for row in found]


def _registers(facts: Facts) -> tuple[Decimal, Decimal] | None:
    """The meter at the begin and at the end. None if what is known does not make the energy of this record: the session was put
    right since, or before. A credit note has those of the receipt that it takes back.
    """
    known: tuple[Any, Any] = (facts.record.transaction.meter_start_wh, facts.record.transaction.meter_stop_wh)
    if facts.credited is not None:
        data = facts.credited.content["data"]
        known = (data["meter_start_wh"], data["meter_stop_wh"])
    if None in known:
        return None
    first, last = Decimal(known[0]), Decimal(known[1])
    return (first, last) if last - first == abs(facts.record.energy_wh) else None


def _table(record: ChargeRecord) -> dict[str, Any]:
    """The lines and the sums: words, and amounts with the decimals of the currency."""
    least = money.minor_units(record.currency)
    sums = [[_("Without tax"), _cash(record.total_excl_tax, record.currency)]]
    for share in taxes_of(record):
        amount = _cash(Decimal(share["tax"]), record.currency)
        if share["percent"] is None:
            sums.append([_("Tax"), amount])
        else:
            told = {"percent": f"{_plain(Decimal(share['percent']))}{SPACE}%", "net": _cash(Decimal(share["net"]), record.currency)}
            sums.append([_("Tax %(percent)s of %(net)s") % told, amount])
    rows = []
    for line in record.lines:
        volume, unit, price = Decimal(line["volume"]), line["unit"], Decimal(line["price"])
        if unit == "h" and _exact(price / 60):  # in minutes, as the price beside the plug has it
            volume, unit, price = 60 * volume, "min", price / 60
        words = str(DIMENSIONS.get(line["dimension"], line["dimension"]))
        if len(record.taxes) > 1 and line.get("vat_percent"):
            words = f"{words} ({_plain(Decimal(line['vat_percent']))}{SPACE}%)"
        amount = _plain(volume) if unit == "session" else f"{_plain(volume)}{SPACE}{unit}"
        rows.append([words, amount, _plain(price, least, PRICE_DECIMALS), _plain(Decimal(line["cost_excl_tax"]), least)])
    return {
        "caption": _("What it cost"),
        "head": [_("For"), _("Amount"), _("Price"), record.currency],
        "rows": rows,
        "sums": sums,
        "total": [_("Total"), f"{_cash(record.total_incl_tax, record.currency)}{SPACE}{record.currency}"],
    }


def _notes(facts: Facts, *, signed: bool) -> list[str]:
    record, found = facts.record, []
    version = (record.choice or {}).get("version")
    told = {"name": record.tariff.name, "version": version}
    found.append(_("Tariff: %(name)s, version %(version)s.") % told if version else _("Tariff: %(name)s.") % told)
    if sentence := _sentence(record):
        found.append(sentence)
    found.append(_("Times are in %(zone)s.") % {"zone": facts.zone})
    if signed:
        found.append(_("The meter has signed its readings. The signed data can be downloaded with the session, to be checked."))
    if not facts.issuer.complete:
        found.append(_("Not all details of the issuer are known: ask the network for them if you need them for your taxes."))
    return found


def _sentence(record: ChargeRecord) -> str:
    if not record.tariff_snapshot:
        return ""
    try:
        return sentences.sentence(series.parse(record.tariff_snapshot))
    except tariff.InvalidTariff:  # of a release that knew no such tariffs
        return ""


def _data(facts: Facts, *, signed: bool) -> dict[str, Any]:
    """The same for programs: decimals and times as text."""
    record, t, issuer = facts.record, facts.record.transaction, facts.issuer
    start, stop = started_at(record), stopped_at(record)
    first, last = _registers(facts) or (None, None)
    return {
        "number": facts.label,
        "issued_at": facts.at.isoformat(),
        "issuer": {
            "network": issuer.operator.name,
            **{name: getattr(issuer, name) for name in ("legal_name", "address", "vat_id", "register", "contact", "footer")},
        },
        "session": t.pk,
        "record": record.pk,
        "station": t.station.identity,
        "evse": t.evse.number if t.evse else None,
        "site": t.at_site.name if t.at_site else None,
        "time_zone": facts.zone,
        "started_at": start.isoformat(),
        "stopped_at": stop.isoformat() if stop else None,
        "reserved_at": record.reserved_at.isoformat() if record.reserved_at else None,
        "charging_ended_at": record.charging_ended_at.isoformat() if record.charging_ended_at else None,
        "duration_s": record.duration_s,
        "energy_wh": f"{record.energy_wh:f}",
        "meter_start_wh": _text(first),
        "meter_stop_wh": _text(last),
        "currency": record.currency,
        "lines": record.lines,
        "taxes": taxes_of(record),
        "total_excl_tax": f"{record.total_excl_tax:f}",
        "total_incl_tax": f"{record.total_incl_tax:f}",
        "tariff": record.tariff_id,
        "credits": facts.credited.label if facts.credited else None,
        "replaces": facts.replaced.label if facts.replaced else None,
        "signed": signed,
    }


def taxes_of(record: ChargeRecord) -> list[dict[str, Any]]:
    """By rate: {"percent", "net", "tax"}. A record that tells no rates has one sum."""
    if record.taxes:
        known: list[dict[str, Any]] = record.taxes
        return known
    tax = record.total_incl_tax - record.total_excl_tax
    return [{"percent": None, "net": f"{record.total_excl_tax:f}", "tax": f"{tax:f}"}]


def started_at(record: ChargeRecord) -> datetime:
    return record.started_at or record.transaction.started_at


def stopped_at(record: ChargeRecord) -> datetime | None:
    return record.stopped_at or record.transaction.stopped_at


def _signed(t: Transaction) -> bool:
    """Whether the meter's signed readings of the session are kept."""
    return SignedReading.objects.filter(transaction=t.pk).exists()


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _number(value: Decimal, decimals: int) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) + 0  # nothing taken back is no -0.00
    return str(number_format(rounded, decimals, use_l10n=True, force_grouping=True))


def _plain(value: Decimal, least: int = 0, most: int = MOST_DECIMALS) -> str:
    """Without the zeros that say nothing, but with at least so many decimals."""
    rounded = value.quantize(Decimal(1).scaleb(-most), ROUND_HALF_UP).normalize()
    return _number(rounded, max(least, -int(rounded.as_tuple().exponent)))


def _exact(price: Decimal) -> bool:
    """Whether a price is printed as it is: else its amount times it would not be what it cost."""
    return price == price.quantize(Decimal(1).scaleb(-PRICE_DECIMALS), ROUND_HALF_UP)


def _cash(amount: Decimal, currency: str) -> str:
    return _number(amount, money.minor_units(currency))


def _kwh(watt_hours: Decimal) -> str:
    return f"{_plain(watt_hours / 1000, 2)}{SPACE}kWh"


def _day(at: datetime) -> str:
    """Of issue, where the network is at home: the year in the number is that of the same clock."""
    return str(date_format(timezone.localtime(at, timezone.get_default_timezone()), "j F Y"))


def _moment(at: datetime) -> str:
    """With the name of its zone: an hour of the autumn comes twice."""
    local = timezone.localtime(at)
    return f"{date_format(local, 'j F Y')} {date_format(local, 'H:i:s')} {local.tzname()}"


def _duration(start: datetime, stop: datetime) -> str:
    hours, minutes = divmod(max(0, int((stop - start).total_seconds())) // 60, 60)
    if hours:
        return _("%(h)s h %(n)s min") % {"h": hours, "n": f"{minutes:02}"}
    return _("%(n)s min") % {"n": minutes}
