"""The library of firmware: its images, and which chargers run what."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages as notices
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from csms.dashboard.access import action, may_add, needs, operator_of, page
from csms.dashboard.exports import stream_csv
from csms.dashboard.firmwareform import ImageForm
from csms.dashboard.firmwarewords import UpdateRow
from csms.files import downloads, images
from stations import selectors
from stations.models import Firmware, FirmwareUpdate
from stations.selectors import Version
from stations.services import firmware

MAY_CHANGE = "firmware.change"
PAGE = 50
UPDATES_SHOWN = 50
HEADER = (
    *("id", "vendor", "model", "version", "file", "size", "sha256", "md5", "signed", "notes", "added_at", "added_by"),
    "withdrawn_at",
)


@dataclass(frozen=True, slots=True)
class Row:
    """An image, on how many chargers it is, and to how many it is on its way."""

    image: Firmware
    installed: int
    under_way: int


@dataclass(frozen=True, slots=True)
class Filters:
    q: str
    withdrawn: bool

    @classmethod
    def of(cls, request: HttpRequest) -> "Filters":
        return cls(request.GET.get("q", "").replace("\x00", "").strip()[:100], request.GET.get("withdrawn") == "1")

    def rows(self) -> QuerySet[Firmware]:
        found = Firmware.objects.select_related("created_by").order_by("-id")
        if not self.withdrawn:
            found = found.filter(withdrawn_at__isnull=True)
        for word in self.q.split():
            found = found.filter(Q(vendor__icontains=word) | Q(model__icontains=word) | Q(version__icontains=word))
        return found

    def query(self, **more: object) -> str:
        own = {"q": self.q, "withdrawn": "1" if self.withdrawn else ""}
        return urlencode({name: value for name, value in {**own, **more}.items() if value})


@page
def show_library(request: HttpRequest) -> HttpResponseBase:
    """What images there are, and what runs on the chargers."""
    asked = Filters.of(request)
    if request.GET.get("format") == "csv":
        return _export(request, asked)
    rows = asked.rows()
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    versions = selectors.firmware_versions()
    under_way = selectors.updates_under_way([image.pk for image in shown])
    context = {
        "asked": asked,
        "rows": [Row(image, installed(image, versions), under_way.get(image.pk, 0)) for image in shown],
        "versions": [(one, urlencode({"vendor": one["vendor"], "model": one["model"], "firmware": one["firmware_version"]}))
                     for one in versions],
        "more": asked.query(before=shown[-1].pk) if len(found) > PAGE else "",
        "first": asked.query() if before else None,
        "may_change": may_add(request, MAY_CHANGE),
    }  # fmt: skip
    return render(request, "dashboard/firmware.html", context)


def installed(image: Firmware, versions: Sequence[Version]) -> int:
    """How many of the chargers that the image fits run its version."""

    def same(one: str, other: str) -> bool:
        return one.casefold() == other.casefold()

    fits = [one for one in versions if same(one["vendor"], image.vendor) and (not image.model or same(one["model"], image.model))]
    return sum(one["stations"] for one in fits if same(one["firmware_version"], image.version))


def _export(request: HttpRequest, asked: Filters) -> HttpResponseBase:
    rows = asked.rows()

    def chunk(last: Firmware | None, size: int) -> Sequence[Firmware]:
        return list((rows if last is None else rows.filter(pk__lt=last.pk))[:size])

    def cells(one: Firmware) -> Iterable[object]:
        hashes = (one.size, one.sha256, one.md5, "yes" if one.signed else "no")
        added = (one.notes, one.created_at, str(one.created_by or ""), one.withdrawn_at)
        return (one.pk, one.vendor, one.model, one.version, one.name, *hashes, *added)

    return stream_csv(request, "firmware", HEADER, chunk, cells)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def add_image(request: HttpRequest) -> HttpResponse:
    operator = operator_of(request)
    known = {name: request.GET[name] for name in ("vendor", "model") if request.GET.get(name)}
    form = ImageForm(request.POST, request.FILES) if request.method == "POST" else ImageForm(initial=known)
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        user = request.user if isinstance(request.user, User) else None
        try:
            with images.stored(upload.chunks(), operator_id=operator.pk) as stored:
                image = firmware.add_firmware(operator=operator, name=upload.name or "", user=user, **form.told(), **stored)
        except ValidationError as error:
            form.refuse(error)
        else:
            notices.success(request, _("%(image)s is in the library.") % {"image": image})
            return redirect("firmware_image", image.pk)
    versions = selectors.firmware_versions()
    context = {
        "form": form,
        "vendors": sorted({one["vendor"] for one in versions if one["vendor"]}),
        "models": sorted({one["model"] for one in versions if one["model"]}),
    }
    return render(request, "dashboard/firmware_add.html", context, status=422 if form.errors else 200)


@page
def show_image(request: HttpRequest, pk: int) -> HttpResponse:
    """One image, and the chargers that were asked to take it."""
    image: Firmware = get_object_or_404(Firmware.objects.select_related("created_by"), pk=pk)
    found = FirmwareUpdate.objects.filter(firmware=image).select_related("station", "firmware", "requested_by").order_by("-id")
    updates = list(found[: UPDATES_SHOWN + 1])
    versions = selectors.firmware_versions()
    context = {
        "image": image,
        "installed": installed(image, versions),
        "updates": [UpdateRow(update) for update in updates[:UPDATES_SHOWN]],
        "more": len(updates) > UPDATES_SHOWN,
        "running": urlencode({name: value for name, value in
                              {"vendor": image.vendor, "model": image.model, "firmware": image.version}.items() if value}),
        "may_change": may_add(request, MAY_CHANGE),
        "now": timezone.now(),
    }  # fmt: skip
    return render(request, "dashboard/firmware_image.html", context)


@page
def download_image(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file, as it was taken in."""
    image: Firmware = get_object_or_404(Firmware, pk=pk)
    return downloads.attachment(image.path, image.name)


@action(MAY_CHANGE)
def withdraw_image(request: HttpRequest, pk: int) -> HttpResponse:
    image = get_object_or_404(Firmware, pk=pk)
    firmware.withdraw(firmware=image)
    notices.success(request, _("%(image)s is withdrawn. Updates that are under way go on.") % {"image": image})
    return redirect(reverse("firmware"))
