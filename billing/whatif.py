"""What a session would cost under a tariff: one that took place, or one that is described."""

from collections.abc import Mapping, Sized
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from billing import drafts, series, sessions, tariff
from stations.domain.values import TransactionStatus
from stations.models import Transaction

#: A session is walked through day by day, so its length is bounded.
LONGEST = timedelta(days=366)
MOST_SAMPLES = 50_000
#: A second or a few, in which somebody waits.
MOST_WORK = 2_000_000


@dataclass(frozen=True, slots=True)
class Past(tariff.Session):
    """One that took place. `gone`: the samples which told when its energy flowed were let go."""

    gone: bool = False


def priced(ocpi: Mapping[str, Any], session: tariff.Session, *, operator_id: int | None) -> tariff.Priced:
    """What a session costs under a Tariff object; its series are the operator's. Raises InvalidTariff, InvalidSession, NoPrice."""
    names = series.named(ocpi) if operator_id is not None else set()
    applied = tariff.parse(ocpi, _prices(operator_id, names, session))
    if isinstance(session, Past) and session.gone and applied.needs_course:
        raise tariff.InvalidSession(
            _("Its meter samples were let go: what it costs by when the energy flowed, nobody can say any more.")
        )
    if _work(applied, session) > MOST_WORK:
        raise tariff.InvalidSession(
            _("This is too much to work out at once: take a shorter session, or a tariff of fewer elements and times.")
        )
    return tariff.price(applied, session)


def _work(applied: tariff.Tariff, session: tariff.Session) -> int:
    """About how often an element is looked at: at each that may change what holds."""
    within = [element.restrictions for element in applied.elements]
    times = {time for one in within for time in (one.start_time, one.end_time) if time is not None}
    steps = {one.series.starts for element in applied.elements for one in element.components if one.series is not None}
    samples = session.samples if isinstance(session.samples, Sized) and any(one.by_power for one in within) else ()
    waited = session.reserved.end - session.reserved.start if session.reserved is not None else timedelta(0)
    days = max(session.end - session.start, waited).days + 1
    return len(within) * (days * (len(times) + 1) + len(samples) + sum(map(len, steps)))


def _prices(operator_id: int | None, names: set[str], session: tariff.Session) -> Mapping[str, tariff.Series]:
    if not names or operator_id is None:
        return {}
    return series.during(operator_id, names, session.start, session.end)


def past(transaction: Transaction) -> Past:
    """A session that took place, or takes place, until now; to be priced any number of times. Raises InvalidSession."""
    energy_wh, now = transaction.energy_wh, timezone.now()
    if energy_wh is None or energy_wh < 0:
        raise tariff.InvalidSession(_("The energy of this session is not known, so nobody can say what it costs."))
    ended = transaction.stopped_at if transaction.status == TransactionStatus.ENDED else None
    found = sessions.ended(transaction, energy_wh=energy_wh, end=ended or now)
    if found.end - found.start > LONGEST:
        raise tariff.InvalidSession(_("A session may last %(n)s days at most.") % {"n": LONGEST.days})
    # Read once here: the engine may walk through them under several tariffs.
    samples = list(islice(found.samples, MOST_SAMPLES + 1))
    if len(samples) > MOST_SAMPLES:
        raise tariff.InvalidSession(_("A session may have %(n)s samples at most.") % {"n": MOST_SAMPLES})
    gone = drafts.gone(transaction)
    return Past(found.start, found.end, found.time_zone, samples, found.charging_end, found.reserved, gone)
