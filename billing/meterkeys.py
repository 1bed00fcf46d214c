"""The keys of meters: registered by people, sent by stations, and which of them is believed."""

from datetime import datetime
from functools import partial
from hashlib import sha256

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts.models import User
from billing.models import KeySource, MeterKey
from billing.signedmeter import BadKey, Key, read_key
from stations import outbox, ports
from stations.models import Evse, OutboxEntry, Station, Transaction
from stations.services import signedreadings

#: Who checks signatures, in the outbox.
SUBSCRIBER = "signed_readings"
#: Of one station; a station that sends a new one each time is heard so often.
MOST = 50
#: Sessions of a station, the newest, that are checked anew when its keys change.
CHECKED_ANEW = 1000
PROBLEMS: dict[str, str | Promise] = {
    "form": gettext_lazy("This is no public key. Give it as PEM, or as its DER in hex or Base64."),
    "cut": gettext_lazy("This is no public key: it is cut off, or something else. Copy the whole of it."),
    "kind": gettext_lazy("This is a key of another kind: meters sign with elliptic curves (ECDSA)."),
    "bare": gettext_lazy("This is a bare point, or something else: choose of which curve it is."),
    "point": gettext_lazy("This is no point of that curve. Choose another curve, or look whether a character is missing."),
    "curve": gettext_lazy("Signatures of this curve cannot be checked here. The driver's transparency software can."),
}


def fingerprint(key: Key) -> str:
    return sha256(key.der).hexdigest()


def register(
    *,
    station: Station,
    public_key: str,
    evse: Evse | None = None,
    curve: str = "",
    meter_serial: str = "",
    note: str = "",
    user: User | None = None,
) -> MeterKey:
    """Register the key of a meter, as it is printed on it. It is believed from now on, and before what the station sends.

    One that is known already is believed again. Raises ValidationError.
    """
    try:
        key = read_key(public_key, curve)
    except BadKey as error:
        raise ValidationError({"public_key": str(PROBLEMS[error.code])}) from None
    if evse is not None and evse.station_id != station.pk:
        raise ValidationError({"evse": _("This plug is another charger's.")})
    with transaction.atomic():
        Station.objects.select_for_update(no_key=True).get(pk=station.pk)
        where = {"station": station, "evse": evse, "meter_serial": meter_serial.strip(), "fingerprint": fingerprint(key)}
        known = MeterKey.objects.filter(**where).first()
        if known is None and MeterKey.objects.filter(station=station, source=KeySource.PERSON).count() >= MOST:
            raise ValidationError(_("This charger has %(most)s keys already: retire those that are over.") % {"most": MOST})
        made = known or MeterKey(operator_id=station.operator_id, created_at=timezone.now(), **where)
        made.public_key, made.curve = key.der.hex(), key.curve
        made.source, made.trusted, made.retired_at = KeySource.PERSON, True, None
        made.note, made.registered_by = note.strip(), user
        made.full_clean(validate_unique=False, validate_constraints=False)
        made.save()
        # What the station sent before is not believed beside it, nor ever was right.
        _of_station(made).update(trusted=False)
        audit.record("meter_key.registered", made, operator=station.operator_id, after=_told(made), label=station.identity)
        check_anew(station)
    return made


def trust(*, key: MeterKey, user: User | None = None) -> bool:
    """Believe a key that the station sent, since somebody compared it with the meter: it counts as registered by them. False: it is
    believed already.
    """
    with transaction.atomic():
        found = MeterKey.objects.filter(pk=key.pk).exclude(source=KeySource.PERSON, trusted=True, retired_at=None)
        changed = found.update(source=KeySource.PERSON, trusted=True, retired_at=None, registered_by=user)
        if changed:
            key.refresh_from_db()
            # The meter was exchanged: what it signed before is still right by the old one.
            _of_station(key).filter(trusted=True, retired_at=None).update(retired_at=timezone.now())
            audit.record("meter_key.trusted", key, operator=key.operator_id, after=_told(key), label=key.station.identity)
            check_anew(key.station)
    return bool(changed)


def retire(*, key: MeterKey) -> bool:
    """It signs no more: the meter was exchanged. Sessions that began before are still checked with it. False: it is retired."""
    with transaction.atomic():
        changed = MeterKey.objects.filter(pk=key.pk, retired_at=None).update(retired_at=timezone.now())
        if changed:
            audit.record("meter_key.retired", key, operator=key.operator_id, before=_told(key), label=key.station.identity)
            check_anew(key.station)
    return bool(changed)


def check_anew(station: Station) -> None:
    """Have the newest signed sessions of a station checked again, with the keys as they are now."""
    signed = Transaction.objects.filter(station=station, signed__isnull=False).order_by("-started_at")
    now = timezone.now()
    rows = [
        OutboxEntry(**row)
        for pk in signed.values_list("pk", flat=True)[:CHECKED_ANEW]
        for row in outbox.entries(signedreadings.TOPIC, operator_id=station.operator_id, object_id=pk, now=now)
    ]
    OutboxEntry.objects.bulk_create(rows, ignore_conflicts=True)
    transaction.on_commit(partial(ports.bell.work, SUBSCRIBER))


def _of_station(key: MeterKey) -> QuerySet[MeterKey]:
    """The other keys of the same place that the station sent."""
    others = MeterKey.objects.filter(station=key.station_id, source=KeySource.STATION).exclude(fingerprint=key.fingerprint)
    return others if key.evse_id is None else others.filter(evse=key.evse_id)


def holds(key: MeterKey, at: datetime) -> bool:
    """Whether it is believed for a session that began then."""
    return key.trusted and (key.retired_at is None or key.retired_at > at)


def believed(station_id: int, evse_id: int | None, *, at: datetime) -> list[MeterKey]:
    """The keys by which what a meter there signed at that time is checked, the EVSE's own first."""
    known = MeterKey.objects.filter(station=station_id, trusted=True).order_by("id")[: 2 * MOST]
    found = [key for key in known if key.evse_id in (None, evse_id) and holds(key, at)]
    return sorted(found, key=lambda key: (key.evse_id is None, not key.meter_serial))


def seen(*, station_id: int, evse_id: int, key: Key, meter_serial: str) -> MeterKey | None:
    """A station sent this key with a right signature: believed if it is the first of the EVSE, else kept for a person to decide."""
    station = Station.objects.select_for_update(no_key=True).get(pk=station_id)
    where = {"station": station, "evse_id": evse_id, "meter_serial": meter_serial[:50], "fingerprint": fingerprint(key)}
    known = MeterKey.objects.filter(**where).first()
    if known is not None or MeterKey.objects.filter(station=station).count() >= 2 * MOST:
        return known
    first = not MeterKey.objects.filter(Q(evse=evse_id) | Q(evse=None), station=station, trusted=True).exists()
    return MeterKey.objects.create(
        operator_id=station.operator_id,
        public_key=key.der.hex(),
        curve=key.curve,
        source=KeySource.STATION,
        trusted=first,
        created_at=timezone.now(),
        **where,
    )


def _told(key: MeterKey) -> dict[str, object]:
    return {
        "fingerprint": key.fingerprint[:16],
        "curve": key.curve,
        "evse": key.evse.number if key.evse else None,
        "meter_serial": key.meter_serial,
        "note": key.note,
    }
