"""Of which types the plugs of a station are, where people say so: many stations cannot (none of OCPP 1.6 can)."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from stations.models import Connector, Station
from stations.services import groupterms, registry


@transaction.atomic
def say(*, station: Station, types: Mapping[tuple[int, int], str]) -> None:
    """The types of plugs by EVSE and connector (OCPP 2.0.1 ConnectorEnumType); "": what the station tells. Raises ValidationError.

    They count from the next message of the station on.
    """
    if unknown := sorted(set(types.values()) - {"", *groupterms.PLUG_TYPES}):
        text = _("There is no type of plug %(unknown)s: use %(known)s.")
        raise ValidationError({"type": text % {"unknown": ", ".join(unknown)[:100], "known": ", ".join(groupterms.PLUG_TYPES)}})
    registry.bump(station.pk)
    plugs = Connector.objects.select_for_update(of=("self",)).filter(evse__station=station).select_related("evse")
    known = {(one.evse.number, one.number): one for one in plugs.order_by("pk")}
    if strange := sorted(set(types) - set(known)):
        named = ", ".join(f"{evse}/{number}" for evse, number in strange[:10])
        raise ValidationError({"type": _("%(station)s has no plug %(named)s.") % {"station": station.identity, "named": named}})
    changed = [(place, known[place], kind) for place, kind in sorted(types.items()) if known[place].type != kind]
    if not changed:
        return
    before = {"connector_types": ", ".join(f"{evse}/{number} {one.type}" for (evse, number), one, _kind in changed)}
    after = {"connector_types": ", ".join(f"{evse}/{number} {kind}" for (evse, number), _one, kind in changed)}
    for _place, one, kind in changed:
        one.type = kind
        one.save(update_fields=["type"])
    audit.record("station.changed", station, operator=station.operator_id, before=before, after=after)
    groupterms.fitted(station)
