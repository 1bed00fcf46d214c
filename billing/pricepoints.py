"""Price series as an operator keeps them: added, filled with prices, let go of."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.db import connection
from django.db import transaction as db
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope, scopes_disabled

from accounts import audit
from accounts.models import Operator
from accounts.tokens import parse_moment
from billing import tariffs
from billing.models import TariffVersion
from billing.seriesmodels import PricePoint, PriceSeries

#: Of an operator.
MOST_SERIES = 50
#: In one upload: a quarter of a year of quarters of an hour.
MOST_POINTS = 10_000
MOST_BYTES = 1_000_000
#: Errors of one file that are told.
MOST_ERRORS = 20
#: Prices are kept for so long, and known at most so long ahead.
KEPT = timedelta(days=800)
AHEAD = timedelta(days=366)
HIGHEST = Decimal(1_000_000)
PLACES = 5
#: Rows a statement deletes.
BATCH = 10_000

# A price that is the same is not written again, and counts as such.
UPSERT = """
INSERT INTO billing_pricepoint (operator_id, series_id, start, price)
SELECT %s, %s, v.start, v.price FROM unnest(%s::timestamptz[], %s::numeric[]) AS v(start, price)
ON CONFLICT (series_id, start) DO UPDATE SET price = EXCLUDED.price WHERE billing_pricepoint.price <> EXCLUDED.price
RETURNING (xmax = 0)
"""

Point = tuple[datetime, Decimal]


@dataclass(frozen=True, slots=True)
class Filled:
    """How many prices an upload added, changed, and found there already."""

    added: int
    changed: int
    same: int


def add_series(
    *, operator: Operator, name: str, currency: str = "EUR", unit: str = "MWh", resolution_minutes: int = 60
) -> PriceSeries:
    """Add a series of prices, without any yet. Raises ValidationError."""
    added = PriceSeries(operator=operator, name=name.strip(), currency=currency, unit=unit, resolution_minutes=resolution_minutes)
    with scope(operator=operator), db.atomic():
        Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
        tariffs.check_currency(currency)
        if PriceSeries.objects.filter(name=added.name).exists():
            raise ValidationError({"name": ValidationError(_("There is a price series of this name already."), code="unique")})
        added.full_clean(validate_unique=False, validate_constraints=False)
        if PriceSeries.objects.count() >= MOST_SERIES:
            raise ValidationError(_("A network has %(n)s price series at most: remove one first.") % {"n": MOST_SERIES})
        added.save()
        after = {"name": added.name, "currency": currency, "unit": unit, "resolution_minutes": resolution_minutes}
        audit.record("price_series.added", added, operator=operator, after=after)
    return added


def remove_series(*, series: PriceSeries) -> None:
    """Remove a series with its prices. Raises ValidationError while a version of a tariff names it."""
    with scope(operator=series.operator_id), db.atomic():
        PriceSeries.objects.select_for_update().get(pk=series.pk)
        naming = {"elements": [{"price_components": [{"price_series": series.name}]}]}
        using = TariffVersion.objects.filter(ocpi__contains=naming).select_related("tariff").first()
        if using is not None:
            told = {"tariff": using.tariff.name, "number": using.number}
            raise ValidationError(_("The tariff %(tariff)s follows it (version %(number)s), so it stays.") % told)
        audit.record("price_series.removed", series, operator=series.operator_id, before={"name": series.name})
        series.delete()


def fill(*, series: PriceSeries, points: Iterable[Point]) -> Filled:
    """Put prices into a series, in the place of those that are there for the same times; the same ones again change nothing.

    What waited for a price is billed then. Raises ValidationError.
    """
    wanted = _checked(series, list(points))
    starts, prices = list(wanted), list(wanted.values())
    with scope(operator=series.operator_id), db.atomic(), connection.cursor() as cursor:
        PriceSeries.objects.select_for_update(no_key=True).get(pk=series.pk)
        cursor.execute(UPSERT, [series.operator_id, series.pk, starts, prices])
        new = [added for (added,) in cursor.fetchall()]
        done = Filled(added=sum(new), changed=len(new) - sum(new), same=len(wanted) - len(new))
        if new:
            span = {"since": min(starts).isoformat(), "until": max(starts).isoformat()}
            after = {"added": done.added, "changed": done.changed, **span}
            audit.record("price_series.filled", series, operator=series.operator_id, after=after)
            tariffs.wake(series.operator_id)
    return done


def _checked(series: PriceSeries, points: list[Point]) -> dict[datetime, Decimal]:
    """The prices by their times. Raises ValidationError with what is wrong, point by point."""
    if not points:
        raise ValidationError({"points": _("There is no price in it.")})
    if len(points) > MOST_POINTS:
        raise ValidationError({"points": _("%(n)s prices at most at once: send them in parts.") % {"n": MOST_POINTS}})
    now = timezone.now()
    step = series.resolution_minutes * 60
    wrong: list[str] = []
    wanted: dict[datetime, Decimal] = {}
    for at, price in points:
        told = {"at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "minutes": series.resolution_minutes}
        if at.timestamp() % step:
            wrong.append(_("%(at)s: a price of this series begins at a multiple of %(minutes)s minutes.") % told)
        elif not now - KEPT <= at <= now + AHEAD:
            wrong.append(_("%(at)s is too long ago, or too far ahead.") % told)
        elif wanted.setdefault(at, price) != price:
            wrong.append(_("%(at)s has two different prices.") % told)
        elif abs(price) >= HIGHEST or round(price, PLACES) != price:
            wrong.append(_("%(at)s: a price has 5 decimals at most, and is below a million.") % told)
        if len(wrong) == MOST_ERRORS:
            break
    if wrong:
        raise ValidationError({"points": wrong})
    return wanted


def read_csv(content: bytes) -> list[Point]:
    """The prices of a file: a time and a price a line, apart by comma or semicolon. Raises ValidationError, line by line.

    Times without a zone are in UTC. A first line without a price is a heading. 12,5 is 12.5 where a semicolon is between.
    """
    if len(content) > MOST_BYTES:
        raise ValidationError(_("The file is too large: %(n)s kB at most.") % {"n": MOST_BYTES // 1000})
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValidationError(_("The file is not UTF-8: save it as CSV in UTF-8.")) from error
    apart = ";" if ";" in text else "\t" if "\t" in text else ","
    found: list[Point] = []
    wrong: list[str] = []
    for number, cells in enumerate(_rows(text, apart), start=1):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            found.append(_line(cells, comma=apart != ","))
        except ValueError as error:
            if number > 1:
                wrong.append(_("Line %(n)s: %(why)s") % {"n": number, "why": error})
        if len(wrong) == MOST_ERRORS or len(found) > MOST_POINTS:
            break
    if wrong:
        raise ValidationError(wrong)
    return found


def _rows(text: str, apart: str) -> Iterator[list[str]]:
    """Raises ValidationError for what the csv module does not read, such as all that comes after a lone quotation mark."""
    reader = csv.reader(io.StringIO(text), delimiter=apart)
    try:
        yield from reader
    except csv.Error as error:
        told = {"n": reader.line_num, "why": error}
        raise ValidationError(_("Line %(n)s: this is no CSV (%(why)s). Is there a quotation mark too many?") % told) from error


def _line(cells: list[str], *, comma: bool) -> Point:
    if len(cells) < 2:
        raise ValueError(_("a time and a price are needed, such as 2026-11-21T13:00:00Z,84.20."))
    at = parse_moment(cells[0])
    written = cells[1].strip().replace(" ", "")
    try:
        price = Decimal(written.replace(",", ".") if comma else written)
        if not price.is_finite() or abs(price.adjusted()) > 30:
            raise InvalidOperation
    except InvalidOperation as error:
        raise ValueError(_("“%(text)s” is no price, such as 84.20.") % {"text": written[:40]}) from error
    return at, price


def let_go(*, now: datetime) -> int:
    """Delete what is older than its term. Returns how many prices."""
    gone = 0
    with scopes_disabled():
        for pk in PriceSeries.objects.order_by("pk").values_list("pk", flat=True):
            while True:
                old = PricePoint.objects.filter(series=pk, start__lt=now - KEPT).order_by("start").values("pk")[:BATCH]
                count, _by_model = PricePoint.objects.filter(pk__in=old).delete()
                gone += count
                if count < BATCH:
                    break
    return gone
