"""The part of a form that says what an id tag, or a group of them, is held to: places, and types of plugs."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from csms.dashboard.evses import TYPES
from csms.dashboard.serviceforms import ServiceForm
from stations import heldnames, locallists
from stations.domain.places import Places
from stations.models import GroupTerms, Site, Station, TokenTerms
from stations.services import groupterms
from stations.services.groupterms import Wanted

SITES = 500
#: The types of plugs by their names, with that of OCPP, since a socket and a cable have the same.
PLUG_TYPES = [(kind, f"{TYPES[kind]} ({kind})" if kind in TYPES else kind) for kind in groupterms.PLUG_TYPES]
#: The fields, in the order in which they are shown.
NAMES = ("restricted", "sites", "places", "connector_types")


class HeldForm(ServiceForm):
    """The rules are those of `stations.services.groupterms`."""

    restricted = forms.ChoiceField(
        label=gettext_lazy("Where it charges"),
        choices=[("", gettext_lazy("Everywhere in the network")), ("yes", gettext_lazy("Only at the places below"))],
        required=False,
    )
    sites = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Sites"),
        coerce=int,
        required=False,
        widget=forms.SelectMultiple({"size": 5}),
        help_text=gettext_lazy("With all their chargers; choose several with Ctrl or Cmd."),
    )
    places = forms.CharField(
        label=gettext_lazy("Chargers and plugs"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea({"rows": 4}),
        help_text=gettext_lazy("One a line: a charger's identity, or with a slash the number of one plug, such as HARBOUR-1/2."),
    )
    connector_types = forms.MultipleChoiceField(
        label=gettext_lazy("Types of plugs"),
        choices=PLUG_TYPES,
        required=False,
        widget=forms.SelectMultiple({"size": 6}),
        help_text=gettext_lazy(
            "It charges at these only; none chosen: at all. Where nobody knows a plug's type, say it on its charger's page."
        ),
    )

    def __init__(
        self, data: Any = None, *, terms: GroupTerms | TokenTerms | None = None, initial: dict[str, Any] | None = None
    ) -> None:
        places = Places.read(terms.places) if terms and terms.places is not None else None
        known: dict[str, Any] = {"restricted": "yes" if places else ""}
        if places is not None:
            known |= {"sites": sorted(places.sites), "places": "\n".join(locallists.single_places(places))}
        if terms is not None and terms.connector_types is not None:
            known["connector_types"] = terms.connector_types
        super().__init__(data, initial=known | (initial or {}))
        sites = self.fields["sites"]
        assert isinstance(sites, forms.ChoiceField)
        named = Site.objects.order_by("name").values_list("pk", "name")
        chosen = named.filter(pk__in=places.sites) if places else named.none()
        sites.choices = sorted({*named[:SITES], *chosen}, key=lambda site: str(site[1]))

    def clean_places(self) -> list[tuple[Station, int | None]]:
        lines = list(dict.fromkeys(line.strip() for line in self.cleaned_data["places"].splitlines() if line.strip()))
        known = heldnames.stations_named(lines)
        for line in lines:
            if line not in known:
                raise ValidationError(_("There is no charger or plug %(line)s.") % {"line": line[:60]})
        return [known[line] for line in lines]

    def held(self) -> Wanted:
        data = self.cleaned_data
        types = data["connector_types"] or None
        if data["restricted"] != "yes":
            return Wanted(types=types)
        return Wanted(
            True,
            list(Site.objects.filter(pk__in=data["sites"])),
            [station for station, number in data["places"] if number is None],
            [(station, number) for station, number in data["places"] if number is not None],
            types,
        )
