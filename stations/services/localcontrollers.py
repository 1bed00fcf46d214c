"""What is known of a station beside what it says: the local controller that relays it, and the key with which it signs.

A local controller relays the stations of a place, each over a socket of its own, and connects as itself too. To us each is a
station of its own, and is asked as any other; but without the controller none of them can be heard.
"""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from stations.models import Station
from stations.services import registry, signatures

LONGEST_KEY = 10_000


@transaction.atomic
def set_controller(*, station: Station, controller: Station | None) -> None:
    """Say which local controller relays a station; None: none does. Raises ValidationError for what cannot be."""
    # In the order of their keys, so that two who say the opposite of each other do not wait for each other.
    keys = sorted(pk for pk in (station.pk, controller.pk if controller else None) if pk is not None)
    locked = {one.pk: one for one in Station.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk")}
    row = locked[station.pk]
    if controller is not None:
        other = locked.get(controller.pk)
        if other is None or other.operator_id != row.operator_id:
            raise ValidationError({"controller": _("There is no such charger in this network.")})
        if other.pk == row.pk:
            raise ValidationError({"controller": _("A charger is not behind itself: choose the local controller, or none.")})
        if other.controller_id is not None:
            raise ValidationError(
                {"controller": _("%(name)s is behind a local controller itself: choose that one.") % {"name": other.identity}}
            )
        if Station.objects.filter(controller=row).exists():
            raise ValidationError(
                {"controller": _("%(name)s is a local controller: take the chargers from it first.") % {"name": row.identity}}
            )
    before = {"controller": str(row.controller) if row.controller else ""}
    row.controller = controller
    row.save(update_fields=["controller"])
    after = {"controller": controller.identity if controller else ""}
    audit.record("station.changed", row, operator=row.operator_id, before=before, after=after)
    station.controller = controller


@transaction.atomic
def set_signing_key(*, station: Station, pem: str) -> None:
    """The public key or certificate with which it signs its messages; empty: none is known. Raises ValidationError."""
    text = pem.strip()
    if text:
        try:
            if len(text) > LONGEST_KEY:
                raise ValueError
            signatures.key_of(text)
        except ValueError:
            said = _("A public key or a certificate in PEM is needed: from -----BEGIN … to -----END ….")
            raise ValidationError({"signing_key": said}) from None
    registry.bump(station.pk)
    before = {"signing_key": _short(station.signing_key)}
    station.signing_key = text
    station.save(update_fields=["signing_key"])
    audit.record("station.changed", station, operator=station.operator_id, before=before, after={"signing_key": _short(text)})


def _short(pem: str) -> str:
    """A key that is public, in short."""
    lines = pem.splitlines()
    return f"{lines[1][:20]}…" if len(lines) > 1 else ""
