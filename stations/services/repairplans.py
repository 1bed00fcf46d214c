"""What a fix would make of a session: the same for the preview on a page and for the fix itself. Nothing here writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from stations import ports
from stations.domain.metering import LARGEST
from stations.domain.recounting import Point, Recount, recount
from stations.domain.times import EARLIEST, TOLERANCE
from stations.domain.values import DECIDED, Doubt, Reconstruction, TransactionStatus
from stations.models import MeterSample, Transaction

#: A running session that was heard of within this time is alive: the charger is asked to stop it instead.
ALIVE = timedelta(minutes=15)
#: Clocks are set while sessions run, so samples are looked for this long around one.
AROUND = timedelta(days=1)
#: Samples that are read of one session: one a minute for a week.
MOST_SAMPLES = 10_000
ENDED = TransactionStatus.ENDED.value
#: The code of a refusal that is not for what was asked, but for how things stand.
STATE = "state"

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """The columns that change, and what of the session comes of it."""

    values: Values
    started_at: datetime
    stopped_at: datetime
    energy_wh: Decimal | None
    doubt: Doubt
    params: Values = field(default_factory=dict)

    @property
    def billed(self) -> bool:
        return self.doubt is Doubt.NONE


def waits(transaction: Transaction) -> bool:
    """Whether somebody has to look at it: it is doubted, or has not ended."""
    return transaction.status != ENDED or transaction.doubt not in DECIDED


def state_of(transaction: Transaction) -> str:
    """What stands in a form, so that a fix is refused when the session is another one by then."""
    t = transaction
    told = (t.status, t.doubt, t.started_at, t.stopped_at, t.meter_start_wh, t.meter_stop_wh, t.energy_wh, t.meter_last_at)
    return blake2b(repr(told).encode(), digest_size=8).hexdigest()


def plan(transaction: Transaction, fix: str, *, orphan: Transaction | None = None, params: Mapping[str, Any]) -> Plan:
    """Raises ValidationError, with what is wrong and what to do, if the fix makes no sense for this session."""
    billed = ports.billed(transaction.pk)
    if not billed and not waits(transaction):
        raise ValidationError(_("This session waits for nobody: it is trusted, or was set aside. Undo that first."), code=STATE)
    heard_at = transaction.meter_last_at or transaction.started_at
    if transaction.status != ENDED and fix != "attach" and heard_at > timezone.now() - ALIVE:
        words = _("The session runs: it was heard of within %(n)s minutes. Ask the charger to stop it instead.")
        raise ValidationError(words % {"n": ALIVE // timedelta(minutes=1)}, code=STATE)
    match fix:
        case "close":
            return _close(transaction, **_known(params, "stopped_at", "meter_stop_wh", "started_at", "meter_start_wh"))
        case "recalculate":
            return _recalculate(transaction, **_known(params, "method"))
        case "accept" if billed:
            raise ValidationError(_("It has been billed as it is, so there is nothing to accept."), code=STATE)
        case "accept":
            _known(params)
            return _accept(transaction)
        case "write_off":
            _known(params)
            return _write_off(transaction)
        case "attach" if orphan is not None:
            _known(params)
            return _attach(transaction, orphan, replaces=billed and bool(transaction.reconstructed))
        case "attach":
            raise ValidationError({"stop": _("Name the stop to attach.")})
    raise ValidationError({"fix": _("There is no such fix. There are close, attach, recalculate, accept, write_off.")})


def _known(params: Mapping[str, Any], *names: str) -> Values:
    if unknown := sorted(set(params) - set(names)):
        words = _("This fix takes no %(names)s.") % {"names": ", ".join(unknown)}
        raise ValidationError(dict.fromkeys(unknown, words))
    return dict(params)


def _close(
    t: Transaction,
    *,
    stopped_at: datetime | None = None,
    meter_stop_wh: Decimal | None = None,
    started_at: datetime | None = None,
    meter_start_wh: Decimal | None = None,
) -> Plan:
    """Set by hand: when it ended and what the meter said, and, where its start is missing, the same of that."""
    start, begun = (t.meter_start_wh if meter_start_wh is None else meter_start_wh), started_at or t.started_at
    wrong: dict[str, Any] = {}
    if stopped_at is None:
        wrong["stopped_at"] = _("Say when it ended.")
    elif stopped_at < begun:
        wrong["stopped_at"] = _("It cannot end before it began.")
    elif stopped_at > timezone.now() + TOLERANCE:
        wrong["stopped_at"] = _("It cannot have ended in the future.")
    if started_at is not None and started_at < EARLIEST:
        wrong["started_at"] = _("No session is that old.")
    for name, value, words in (
        ("meter_start_wh", start, _("Say what the meter stood at when it began.")),
        ("meter_stop_wh", meter_stop_wh, _("Say what the meter stood at when it ended.")),
    ):
        if value is None:
            wrong[name] = words
        elif not value.is_finite() or not 0 <= value <= LARGEST:
            wrong[name] = _("No meter can say that.")
    if not wrong and start is not None and meter_stop_wh is not None and meter_stop_wh < start:
        wrong["meter_stop_wh"] = _("A meter only counts up: it cannot end below where it began.")
    if wrong:
        raise ValidationError(wrong)
    assert stopped_at is not None
    assert start is not None
    assert meter_stop_wh is not None
    energy = meter_stop_wh - start
    values = {"started_at": begun, "meter_start_wh": start, **_ended(t, stopped_at), **_trusted(t)}
    values |= {"meter_stop_wh": meter_stop_wh, "meter_last_wh": meter_stop_wh, "energy_wh": energy}
    said = {"stopped_at": stopped_at, "meter_stop_wh": meter_stop_wh, "started_at": started_at, "meter_start_wh": meter_start_wh}
    return Plan(values, begun, stopped_at, energy, Doubt.NONE, kept({k: v for k, v in said.items() if v is not None}))


def _recalculate(t: Transaction, *, method: str = "") -> Plan:
    """From all registers that are known: the last less the first, or the sum of what it rose by."""
    found = recounted(t)
    if found is None:
        raise ValidationError(_("Fewer than two registers of this session are known. Set start and end by hand instead."))
    if method not in ("span", "rises"):
        raise ValidationError({"method": _("Choose span (the last register less the first) or rises (what it rose by).")})
    energy = found.rises_wh if method == "rises" else found.span_wh
    if energy is None:
        raise ValidationError({"method": _("The last register is below the first. Take the sum of its rises instead.")})
    stopped_at = t.stopped_at or max(t.started_at, found.last[0])
    values = {**_ended(t, stopped_at), **_trusted(t), "energy_wh": energy}
    if method == "span":
        values |= {"meter_start_wh": found.first[1], "meter_stop_wh": found.last[1], "meter_last_wh": found.last[1]}
    return Plan(values, t.started_at, stopped_at, energy, Doubt.NONE, {"method": method})


def _accept(t: Transaction) -> Plan:
    if t.status != ENDED or t.stopped_at is None:
        raise ValidationError(_("It has not ended. Close it by hand instead."), code=STATE)
    if t.energy_wh is None or t.energy_wh < 0:
        raise ValidationError(_("Its energy is not known, so there is nothing to accept. Set start and end by hand instead."))
    return Plan({**_ended(t, t.stopped_at), **_trusted(t)}, t.started_at, t.stopped_at, t.energy_wh, Doubt.NONE)


def _write_off(t: Transaction) -> Plan:
    stopped_at = t.stopped_at or max(t.started_at, t.meter_last_at or t.started_at)
    values = {**_ended(t, stopped_at), "doubt": Doubt.SET_ASIDE.value}
    return Plan(values, t.started_at, stopped_at, t.energy_wh, Doubt.SET_ASIDE)


def _attach(t: Transaction, orphan: Transaction, *, replaces: bool) -> Plan:
    """The start of one and the stop of the other. It `replaces` an end that no station told."""
    if orphan.station_id != t.station_id or orphan.pk == t.pk:
        raise ValidationError({"stop": _("The stop is that of another charger, or of the session itself.")})
    if orphan.doubt != Doubt.START_MISSING or orphan.stopped_at is None:
        raise ValidationError({"stop": _("This is no stop without a start, or it has been attached meanwhile.")}, code=STATE)
    if t.status == ENDED and t.doubt != Doubt.STOP_MISSING and not replaces:
        raise ValidationError(_("This session has a stop of its own."), code=STATE)
    if orphan.stopped_at < t.started_at:
        raise ValidationError({"stop": _("This stop came before the session began.")})
    start, stop = t.meter_start_wh, orphan.meter_stop_wh
    fits = start is not None and stop is not None and stop >= start
    energy = stop - start if fits and start is not None and stop is not None else t.energy_wh
    doubt = Doubt.NONE if fits else Doubt.REGISTER
    values = {
        **_ended(t, orphan.stopped_at),
        **_trusted(t),
        "doubt": doubt.value,
        "meter_stop_wh": stop,
        "energy_wh": energy,
        "stop_reason": orphan.stop_reason,
        "stopped_by": orphan.stopped_by,
    }
    if fits:
        values["meter_last_wh"] = stop
    return Plan(values, t.started_at, orphan.stopped_at, energy, doubt, {"stop": orphan.pk})


def _ended(t: Transaction, at: datetime) -> Values:
    decided = {"reconstructed": Reconstruction.PERSON.value, "due_at": None}
    return {"status": ENDED, "stopped_at": at, "power_w": None, "stop_reason": t.stop_reason or "Other"} | decided


def _trusted(t: Transaction) -> Values:
    """Nothing is missing of it any more: what came of its numbered events is taken for all there was, so that one that comes
    late finds it complete."""
    values: Values = {"doubt": Doubt.NONE.value}
    if t.sequences:
        low, high = t.sequences[0][0], t.sequences[-1][1]
        values |= {"sequences": [[low, high]], "first_sequence": low, "last_sequence": high}
    return values


def registers(t: Transaction) -> list[Point]:
    """The registers (Wh) of a session in the order of their time: its start's, its samples', its stop's."""
    found = MeterSample.objects.filter(station_id=t.station_id, at__gte=t.started_at - AROUND, transaction=t.pk)
    if t.stopped_at is not None:
        found = found.filter(at__lte=t.stopped_at + AROUND)
    samples = found.filter(energy_wh__isnull=False).order_by("at", "pk").values_list("at", "energy_wh")
    points: list[Point] = [(at, register) for at, register in samples[:MOST_SAMPLES] if register is not None]
    if t.start_key is not None and t.meter_start_wh is not None:
        points.insert(0, (t.started_at, t.meter_start_wh))
    if t.start_key is not None and t.meter_stop_wh is not None and t.stopped_at is not None:
        points.append((t.stopped_at, t.meter_stop_wh))
    return points


def recounted(t: Transaction) -> Recount | None:
    return recount(registers(t))


def kept(values: Mapping[str, Any]) -> Values:
    """As JSON holds them; `read` is the way back."""
    plain: Values = {}
    for name, value in values.items():
        plain[name] = value.isoformat() if isinstance(value, datetime) else str(value) if isinstance(value, Decimal) else value
    return plain


def read(values: Mapping[str, Any]) -> Values:
    """Columns of a transaction as they were kept."""
    columns: Any = Transaction._meta
    return {name: columns.get_field(name).to_python(value) for name, value in values.items()}
