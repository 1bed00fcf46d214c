"""Firmware that a charger hands on to those behind it, on its firmware tab."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from csms.dashboard import securitywords
from csms.ocpp import reading
from stations.domain.commands import PublishFirmware
from stations.models import Firmware, FirmwarePublication, PublicationStatus, Station

SHOWN, OFFERED = 10, 200


class PublishForm(forms.Form):
    firmware = forms.TypedChoiceField(
        label=gettext_lazy("Image"),
        coerce=int,
        error_messages={
            "required": gettext_lazy("Choose an image of the library."),
            "invalid_choice": gettext_lazy("This image was withdrawn: choose another one."),
        },
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="publish_%s")
        field = self.fields["firmware"]
        assert isinstance(field, forms.ChoiceField)
        images = Firmware.objects.filter(withdrawn_at=None).order_by("-id")[:OFFERED]
        field.choices = [(image.pk, str(image)) for image in images]


@dataclass(frozen=True, slots=True)
class PublicationRow:
    publication: FirmwarePublication

    @property
    def name(self) -> str:
        return str(self.publication)

    @property
    def word(self) -> str:
        return str(securitywords.PUBLICATIONS[self.publication.status][0])

    @property
    def slug(self) -> str:
        return securitywords.PUBLICATIONS[self.publication.status][1]

    @property
    def published(self) -> bool:
        return self.publication.status == PublicationStatus.PUBLISHED


def of(station: Station) -> Any:
    return FirmwarePublication.objects.filter(station=station).select_related("firmware", "requested_by").order_by("-id")


def context(station: Station, protocol: str, *, may_update: bool) -> dict[str, Any]:
    """What the firmware tab shows of it. Nothing for a charger whose version has no words for it."""
    rows = [PublicationRow(one) for one in of(station)[:SHOWN]]
    able = PublishFirmware.kind in reading.sayable(protocol)
    return {
        "publications": rows,
        "publication_open": any(row.publication.finished_at is None for row in rows),
        "publish_able": able,
        "publish_form": PublishForm() if able and may_update else None,
    }
