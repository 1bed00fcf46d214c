"""The firmware of one charger: the version it runs, its updates, and the form that asks for another."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from csms.dashboard import exports
from csms.dashboard.firmwarewords import UpdateRow
from csms.dashboard.words import in_words
from stations import selectors
from stations.domain.commands import BadCommand
from stations.models import Firmware, FirmwareUpdate, Station
from stations.services.firmware import FURTHEST
from stations.services.firmwareprogress import same_version

SHOWN = 20
#: Images to choose from.
OFFERED = 200
HEADER = (
    *("id", "firmware", "version", "attempt", "status", "reason", "detail", "version_before", "asked_at", "status_at"),
    *("finished_at", "bytes_served", "by"),
)


class UpdateForm(forms.Form):
    """Which image, and when. The rules are those of `stations.services.firmware`."""

    firmware = forms.TypedChoiceField(
        label=_("Image"),
        coerce=int,
        error_messages={"invalid_choice": _("This image does not fit any more, or was withdrawn: choose another one.")},
    )
    retrieve_at = forms.DateTimeField(
        label=_("Fetch it from"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
        help_text=_("Empty: at once."),
    )
    install_at = forms.DateTimeField(
        label=_("Install it from"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
        help_text=_("Empty: as soon as it is fetched. Chargers of OCPP 1.6 know this only with a signed image."),
    )
    reason = forms.CharField(label=_("Why"), max_length=200, required=False)

    def __init__(self, station: Station, data: Any = None) -> None:
        super().__init__(data)
        fitting = selectors.fitting(station)[:OFFERED]
        self.offered = {image.pk: image for image in fitting if not same_version(image.version, station.firmware_version)}
        field = self.fields["firmware"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(pk, str(image)) for pk, image in self.offered.items()]

    @property
    def image(self) -> Firmware:
        return self.offered[self.cleaned_data["firmware"]]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        now = timezone.now()
        for name in ("retrieve_at", "install_at"):
            at: datetime | None = data.get(name)
            if at is not None and not now - timedelta(days=1) <= at <= now + FURTHEST:
                self.add_error(name, _("Choose a time within the next 90 days."))
        return data

    def chosen(self) -> dict[str, Any]:
        """What `firmware.start` is told beside the image."""
        return {name: self.cleaned_data[name] for name in ("retrieve_at", "install_at", "reason")}

    def refuse(self, error: BadCommand) -> None:
        self.add_error(None, in_words(error))


def context(station: Station, *, may_update: bool, form: UpdateForm | None = None) -> dict[str, Any]:
    rows = [UpdateRow(update) for update in updates(station)[:SHOWN]]
    under_way = any(row.update.finished_at is None for row in rows)
    offering = form or (UpdateForm(station) if may_update and not under_way else None)
    return {"updates": rows, "under_way": under_way, "update_form": offering, "may_update": may_update}


def updates(station: Station) -> Any:
    """The newest first: one that is under way stands at the top."""
    return FirmwareUpdate.objects.filter(station=station).select_related("firmware", "requested_by", "station").order_by("-id")


def export(request: HttpRequest, station: Station) -> HttpResponseBase:
    found = updates(station)

    def chunk(last: FirmwareUpdate | None, size: int) -> Sequence[FirmwareUpdate]:
        return list((found if last is None else found.filter(pk__lt=last.pk))[:size])

    def cells(one: FirmwareUpdate) -> Iterable[object]:
        times = (one.created_at, one.status_at, one.finished_at)
        version = one.firmware.version if one.firmware else ""
        said = (one.attempt, one.status, one.reason, one.detail, one.firmware_before)
        return (one.pk, str(one), version, *said, *times, one.bytes_served, str(one.requested_by or ""))

    return exports.stream_csv(request, f"firmware-updates-{slugify(station.identity) or 'charger'}", HEADER, chunk, cells)
