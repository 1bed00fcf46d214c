"""Of which types the plugs of a charger are: said here where the charger does not tell."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from csms.dashboard.access import needs
from csms.dashboard.heldform import PLUG_TYPES
from csms.dashboard.serviceforms import ServiceForm
from stations import plugtypes
from stations.models import Connector, Station
from stations.services import plugtypes as saying

MAY_CHANGE = "stations.change"


class TypesForm(ServiceForm):
    """A field for each plug. The rules are those of `stations.services.plugtypes`."""

    def __init__(self, station: Station, data: Any = None) -> None:
        super().__init__(data)
        known, words = plugtypes.of(station), dict(PLUG_TYPES)
        plugs = Connector.objects.filter(evse__station=station).select_related("evse").order_by("evse__number", "number")
        self.places: dict[str, tuple[int, int]] = {}
        several = {evse for evse, connectors in known.items() if len(connectors) > 1}
        for plug in plugs:
            evse, number = plug.evse.number, plug.number
            label = _("Plug %(number)s") % {"number": f"{evse}/{number}" if evse in several else evse}
            told = "" if plug.type else known.get(evse, {}).get(number, "")
            nothing = _("As the charger tells: %(type)s") % {"type": words.get(told, told)} if told else _("As the charger tells")
            field = forms.ChoiceField(label=label, choices=[("", nothing), *PLUG_TYPES], required=False, initial=plug.type)
            self.fields[f"plug-{evse}-{number}"] = field
            self.places[f"plug-{evse}-{number}"] = evse, number

    def types(self) -> dict[tuple[int, int], str]:
        return {place: self.cleaned_data[name] for name, place in self.places.items()}


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def change_types(request: HttpRequest, identity: str) -> HttpResponse:
    station: Station = get_object_or_404(Station, identity=identity)
    form = TypesForm(station, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            saying.say(station=station, types=form.types())
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The types of the plugs of %(station)s are kept.") % {"station": station.identity})
            return redirect("station", station.identity)
    context = {"form": form, "station": station}
    return render(request, "dashboard/plug_types.html", context, status=422 if form.errors else 200)
