"""Of which types the plugs of a station are: what people said, else what it tells of itself (OCPP 2.0.1 ConnectorType)."""

from typing import Any

from django.db import connection
from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf

from stations.models import Station, Variable
from stations.state import PLUG_TYPES


def of(station: Station) -> dict[int, dict[int, str]]:
    """By EVSE and connector; "": nobody has said. The caller has found the station in its scope."""
    found: dict[int, dict[int, str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(PLUG_TYPES, [station.pk])
        for evse, connector, kind in cursor.fetchall():
            found.setdefault(evse, {})[connector] = kind
    return found


def annotated(plugs: QuerySet[Any]) -> QuerySet[Any]:
    """Connectors with the same as their `kind`."""
    told = Variable.objects.filter(
        **{"station": OuterRef("evse__station"), "component": "Connector", "component_instance": "", "variable": "ConnectorType"},
        **{"evse_number": OuterRef("evse__number"), "attribute": "Actual", "known": True},
        connector_number__in=[OuterRef("number"), 0],
    ).order_by("-connector_number")
    reported = Subquery(told.values("value")[:1], output_field=CharField())
    return plugs.annotate(kind=Coalesce(NullIf("type", Value("")), reported, Value(""), output_field=CharField()))
