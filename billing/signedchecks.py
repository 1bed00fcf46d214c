"""What meters signed, checked: each signature with the meter's key, and what it says against the transaction.

Done by a job when such readings came, again when more come or a key is registered; the outcome is the same however often.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from billing import meterkeys, signedselectors
from billing.models import MeterKey, SignedCheck, SignedSession
from billing.signedmeter import (
    BEGIN,
    CURVES,
    END,
    BadKey,
    Key,
    Record,
    Register,
    Unreadable,
    Verdict,
    check,
    curve_of,
    read,
    read_key,
)
from billing.signedmodels import INCOMPLETE
from stations import outbox
from stations.batch import of_one
from stations.domain.values import Doubt, Note, Reconstruction, Severity, TransactionStatus
from stations.models import Finding, SignedReading, Transaction

#: Signed readings of one transaction that are looked at, the first and the last, and keys with which each is tried.
MOST, TRIED = 1000, 5
#: Clocks may differ so much before a signed time lies outside the session.
CLOCKS = timedelta(minutes=5)
#: Registers of the signed and of the other values are rounded each in its own way: to whole Wh, and to a decimal, at most this.
ROUNDED_WH, COARSEST_WH = Decimal(2), Decimal(10)
BEGINS, ENDS = "Transaction.Begin", "Transaction.End"
#: The worst of a session's verdicts is that of the session.
WORST = (
    *(Verdict.WRONG, Verdict.OTHER_KEY, Verdict.UNREADABLE, Verdict.UNSUPPORTED, Verdict.KEY_UNKNOWN),
    Verdict.VERIFIED,
)
#: Findings that this makes, and takes back when they hold no more.
CODES = {
    Verdict.WRONG: ("signed_wrong", Severity.ERROR),
    Verdict.OTHER_KEY: ("signed_key_changed", Severity.ERROR),
    Verdict.UNREADABLE: ("signed_unreadable", Severity.WARNING),
}
DIFFERS = "signed_differs"
NO_KEY = "No key of this meter is known. Register the one that is printed on the meter."


@dataclass(slots=True)
class Looked:
    """A signed reading, what it says, and what came of the check."""

    reading: SignedReading
    record: Record | None = None
    sent: Key | None = None
    verdict: Verdict = Verdict.KEY_UNKNOWN
    reason: str = NO_KEY
    key: MeterKey | None = None


@dataclass(frozen=True, slots=True)
class At:
    """A register of a record, and whether its signature is right."""

    register: Register
    of: Looked

    @property
    def energy_wh(self) -> Decimal:
        energy = self.register.energy_wh
        assert energy is not None  # chosen for it
        return energy


@dataclass(frozen=True, slots=True)
class Difference:
    code: str
    detail: str


def check_transaction(*, transaction_id: int) -> bool:
    """Check what was signed of a transaction of the operator in scope. False: there is nothing. Raises NotYet while its end is on
    the way.

    1. Read and check each. 2. Compare with the transaction. 3. Write both down, findings too. 4. If it provably took another
    energy than is billed, somebody has to look at it.
    """
    found = Transaction.objects.select_related("station", "evse").filter(pk=transaction_id).first()
    readings = signedselectors.first_and_last(SignedReading.objects.filter(transaction=found), MOST) if found else []
    if found is None or not readings:
        return False
    if found.status == TransactionStatus.ACTIVE and any(one.context == ENDS for one in readings):
        raise outbox.NotYet("What the meter signed at the end is here, and the end is not.")
    looked = _verified(found, readings)
    begin, end = _ends(looked)
    energy = end.energy_wh - begin.energy_wh if begin and end else None
    differences = list(_differences(found, looked, begin, end, energy))
    worst: str = min((one.verdict for one in looked), key=WORST.index)
    if worst == Verdict.VERIFIED and energy is None:
        worst = INCOMPLETE
    now = timezone.now()
    _keep(found, looked, now)
    SignedSession.objects.update_or_create(
        transaction=found,
        defaults={
            "operator_id": found.operator_id,
            "verdict": worst,
            "readings": len(looked),
            "energy_wh": energy,
            "differences": [{"code": one.code, "detail": one.detail} for one in differences],
            "checked_at": now,
        },
    )
    proven = bool(begin and end and begin.of.verdict == end.of.verdict == Verdict.VERIFIED)
    _tell(found, looked, differences, now, contradicted=proven and any(one.code == "energy" for one in differences))
    return True


# The signatures


def _verified(found: Transaction, readings: Sequence[SignedReading]) -> list[Looked]:
    looked = [_read(one) for one in readings]
    here = meterkeys.believed(found.station_id, found.evse_id, at=found.started_at)
    sent = {meterkeys.fingerprint(one.sent): one.sent for one in looked if one.sent is not None}
    # Those that brought a key along come first: it may be sent once a transaction only.
    for one in sorted(looked, key=lambda one: one.sent is None):
        if one.record is not None:
            _check(found, one, one.record, here, list(sent.values())[:TRIED])
    return looked


def _read(reading: SignedReading) -> Looked:
    looked = Looked(reading)
    try:
        looked.record = read(reading.data)
    except Unreadable as error:
        looked.verdict, looked.reason = Verdict.UNREADABLE, str(error)
        return looked
    if text := reading.public_key.strip() or looked.record.key:
        try:
            looked.sent = read_key(text, curve_of(looked.record))
        except BadKey as error:
            if error.code == "curve":
                looked.verdict, looked.reason = Verdict.UNSUPPORTED, "Its curve is one with which this system cannot calculate."
    return looked


def _check(found: Transaction, one: Looked, record: Record, here: list[MeterKey], sent: Sequence[Key]) -> None:
    """With the keys that are believed; else with one that the station sent, which is believed if it is the first."""
    fit = [key for key in here if not _of_another_meter(key, record)]
    for known in fit[:TRIED]:
        one.verdict, one.reason = check(record, read_key(known.public_key))
        if one.verdict is Verdict.VERIFIED:
            one.key = known
            return
    for key in sent:
        verdict, reason = check(record, key)
        if verdict is not Verdict.VERIFIED:
            if not fit:
                one.verdict, one.reason = verdict, reason
            continue
        seen = None
        if found.evse_id is not None:
            where = {"station_id": found.station_id, "evse_id": found.evse_id}
            seen = meterkeys.seen(**where, key=key, meter_serial=record.meter)
        if seen is not None and not here and meterkeys.holds(seen, found.started_at):
            one.verdict, one.reason, one.key = Verdict.VERIFIED, "", seen
            here.append(seen)
        else:
            one.verdict = Verdict.OTHER_KEY
            one.reason = "It is signed with a key that came with it, and that is not the one known of this meter."
        return
    if not fit and not sent:
        # Whether a key is known or not, this system could not use it.
        if reason := _unsupported(record):
            one.verdict, one.reason = Verdict.UNSUPPORTED, reason
        elif here:
            one.reason = f"The meter calls itself {record.meter[:50]}, and no key of that meter is registered."


def _of_another_meter(key: MeterKey, record: Record) -> bool:
    """What a station sent is of its plug, whatever the meter calls itself: another name does not make another key right."""
    serial = key.meter_serial.casefold()
    return key.source == "person" and bool(serial) and serial != record.meter.casefold()


def _unsupported(record: Record) -> str:
    """Why it could not be checked with any key; empty: it could."""
    if record.algorithm.startswith("ECDSA-") and curve_of(record).lower() in CURVES:
        return ""
    return f"It is signed by {record.algorithm[:60]}, with which this system cannot calculate."


# What it says


def _reason(register: Register, looked: Looked) -> str:
    """Where a record does not say whether it begins or ends, the message does."""
    return register.reason or {BEGINS: BEGIN, ENDS: END[0]}.get(looked.reading.context, "")


def _ends(looked: Sequence[Looked]) -> tuple[At | None, At | None]:
    """The register at the begin, and the last at the end of the same kind."""
    every = [(one, register) for one in looked if one.record for register in one.record.readings if register.energy_wh is not None]
    begin = next((At(r, one) for one, r in every if _reason(r, one) == BEGIN), None)
    kind = begin.register.obis if begin else ""
    ends = [At(r, one) for one, r in every if _reason(r, one) in END]
    alike = [one for one in ends if one.register.obis == kind]
    chosen = alike or ends
    return begin, chosen[-1] if chosen else None


def _differences(
    t: Transaction, looked: Sequence[Looked], begin: At | None, end: At | None, energy: Decimal | None
) -> Iterable[Difference]:
    """Where what is signed says something else than the session, whoever is right."""
    for one in looked:
        reasons = {_reason(register, one) for register in one.record.readings} if one.record else set()
        context = one.reading.context
        if context == BEGINS and reasons and BEGIN not in reasons and reasons & {*END}:
            yield Difference("context", "What came as the begin was signed as an end.")
        if context == ENDS and reasons == {BEGIN}:
            yield Difference("context", "What came as the end was signed as a begin.")
    records = [one.record for one in looked if one.record]
    meters = sorted({record.meter for record in records if record.meter})
    if len(meters) > 1:
        yield Difference("meter", f"Several meters signed: {', '.join(meters[:3])}.")
    faults = sorted({f"{r.state}{r.errors}" for record in records for r in record.readings if r.errors or r.state not in ("", "G")})
    if faults:
        yield Difference("fault", f"The meter said that something was wrong with it: {', '.join(faults[:5])}.")
    ids = {record.id for record in records if record.identified and record.id and record.id_type not in ("", "NONE", "DENIED")}
    if t.id_tag and ids and t.id_tag.casefold() not in {one.casefold() for one in ids}:
        yield Difference("id_tag", f"It was signed for the id tag {sorted(ids)[0][:40]}, and the session is of {t.id_tag[:40]}.")
    yield from _times(t, begin, end)
    if energy is None or begin is None or end is None:
        return
    slack = ROUNDED_WH + sum((min(one.register.step_wh, COARSEST_WH) for one in (begin, end)), Decimal(0))
    if energy < 0:
        yield Difference("register", f"The signed register fell from {begin.energy_wh:f} to {end.energy_wh:f} Wh.")
    elif t.status == TransactionStatus.ENDED and t.energy_wh is not None and abs(energy - t.energy_wh) > slack:
        yield Difference("energy", f"The meter signed {energy:f} Wh, and the session has {t.energy_wh:f} Wh.")


def _times(t: Transaction, begin: At | None, end: At | None) -> Iterable[Difference]:
    """Signed times that lie outside the session. A meter may not know the time (U), or only for information (I)."""
    # A charger's clock that is corrected may be the meter's, too.
    since = min(t.started_at, t.station_started_at or t.started_at) - CLOCKS
    ends = [at for at in (t.stopped_at, t.station_stopped_at) if at]
    until = max(ends, default=timezone.now()) + CLOCKS
    for name, one in (("begin", begin), ("end", end)):
        if one is None or one.register.at is None or one.register.clock not in ("S", "R"):
            continue
        if not since <= one.register.at <= until:
            yield Difference("time", f"The {name} was signed at {one.register.at.isoformat()}, which is not within the session.")
    if begin and end and begin.of.record and end.of.record and _goes_back(begin.of.record, end.of.record):
        yield Difference("page", f"The end has the page {end.of.record.pagination}, the begin {begin.of.record.pagination}.")


def _goes_back(begin: Record, end: Record) -> bool:
    """Whether the meter's count of what it signs fell. Readings of transactions (T) and others (F) are counted each on its own."""
    first, last = begin.pagination[1:19], end.pagination[1:19]
    counted = all(number.isascii() and number.isdigit() for number in (first, last))
    return counted and begin.pagination[0] == end.pagination[0] and int(last) < int(first)


# Written down


def _keep(found: Transaction, looked: Sequence[Looked], now: datetime) -> None:
    rows = [
        SignedCheck(
            reading=one.reading,
            operator_id=found.operator_id,
            verdict=one.verdict.value,
            reason=one.reason[:300],
            key=one.key,
            sent_key=meterkeys.fingerprint(one.sent) if one.sent else "",
            algorithm=one.record.algorithm[:60] if one.record else "",
            pagination=one.record.pagination[:30] if one.record else "",
            meter_serial=one.record.meter[:50] if one.record else "",
            id_tag=one.record.id if one.record else "",
            readings=[_said(register) for register in one.record.readings] if one.record else [],
            checked_at=now,
        )
        for one in looked
    ]
    names = [field.name for field in SignedCheck._meta.concrete_fields if not field.primary_key]
    SignedCheck.objects.bulk_create(rows, update_conflicts=True, unique_fields=["reading"], update_fields=names)


def _said(register: Register) -> dict[str, str | None]:
    return {
        "at": register.at.isoformat() if register.at else None,
        "clock": register.clock,
        "reason": register.reason,
        "value": None if register.value is None else f"{register.value:f}",
        "unit": register.unit,
        "obis": register.obis,
        "errors": register.errors,
        "state": register.state,
    }


def _tell(
    t: Transaction, looked: Sequence[Looked], differences: Sequence[Difference], now: datetime, *, contradicted: bool
) -> None:
    """Findings that are new are made, those that hold no more go; and what is contradicted waits for a person."""
    notes: dict[tuple[str, str], Note] = {}
    for one in looked:
        if one.verdict in CODES:
            code, severity = CODES[one.verdict]
            notes.setdefault((code, one.reading.context), Note(code, one.reading.context, one.reason, severity))
    for difference in differences:
        severity = Severity.ERROR if difference.code in ("energy", "register") else Severity.WARNING
        notes.setdefault((DIFFERS, difference.code), Note(DIFFERS, difference.code, difference.detail, severity))
    ours = Finding.objects.filter(transaction=t, code__in=[DIFFERS, *(code for code, _ in CODES.values())])
    known = {(finding.code, finding.subject): finding.pk for finding in ours}
    if gone := [pk for key, pk in known.items() if key not in notes]:
        Finding.objects.filter(pk__in=gone).delete()
    new = [note for key, note in notes.items() if key not in known]
    waits = contradicted and t.doubt == Doubt.NONE and t.reconstructed != Reconstruction.PERSON
    if not new and not waits:
        return
    with of_one(t.station_id, now=now) as batch:
        for note in new:
            batch.note(note, t.pk)
        if waits and Transaction.objects.select_for_update(no_key=True).get(pk=t.pk).doubt == Doubt.NONE:
            batch.change(Transaction, t.pk, doubt=Doubt.SIGNED.value, due_at=None)
        batch.touch(transaction_id=t.pk)
