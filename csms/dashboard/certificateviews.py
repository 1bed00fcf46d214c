"""What one may do about the certificates of a charger, and their list as a file."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.text import slugify

from accounts.models import User
from csms.dashboard import certificates, parts, stationviews
from csms.dashboard.access import action, page
from csms.dashboard.exports import stream_csv
from csms.dashboard.words import in_words
from stations.domain import commands as asks
from stations.domain.commands import BadCommand, Command
from stations.models import CertificateRequest, InstalledCertificate, Station
from stations.services import commands

COLUMNS = (
    *("id", "type", "subject", "issuer", "serial_number", "holds_from", "holds_until", "hash_algorithm", "issuer_name_hash"),
    *("issuer_key_hash", "installed_at", "reported_at", "removed_at"),
)
REQUEST_COLUMNS = (
    *("id", "type", "subject", "common_name", "key", "status", "detail", "problems", "count"),
    *("received_at", "last_at", "decided_at", "request"),
)


def _ask(request: HttpRequest, station: Station, command: Command) -> HttpResponse:
    """Ask the charger for it. Raises BadCommand."""
    command.check()
    commands.issue(station=station, command=command, user=request.user if isinstance(request.user, User) else None)
    return stationviews.back_to_part(station, parts.CERTIFICATES, "#certificates")


def _refused(request: HttpRequest, station: Station, **more: Any) -> HttpResponse:
    return stationviews.render_part(request, station, parts.CERTIFICATES, **more)


@action("commands.send")
def ask_certificates(request: HttpRequest, identity: str) -> HttpResponse:
    """Have the charger tell which certificates it has, or ask for a new one of its own."""
    station = stationviews.station_of(identity)
    return _ask(request, station, certificates.BUTTONS.get(request.POST.get("do", ""), certificates.BUTTONS["read"]))


@action(certificates.MAY_CHANGE)
def install_certificate(request: HttpRequest, identity: str) -> HttpResponse:
    """Bring a root certificate to the charger."""
    station = stationviews.station_of(identity)
    form = certificates.InstallForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            return _ask(request, station, form.command())
        except BadCommand as error:
            form.add_error("certificate", in_words(error))
    return _refused(request, station, form=form)


@action(certificates.MAY_CHANGE)
def delete_certificate(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """Have the charger forget a certificate, named as the charger names it."""
    station = stationviews.station_of(identity)
    row = get_object_or_404(certificates.of(station), pk=pk)
    named = (row.hash_algorithm, row.issuer_name_hash, row.issuer_key_hash, row.serial_number)
    try:
        return _ask(request, station, asks.DeleteCertificate(*named, type=row.type))
    except BadCommand as error:
        return _refused(request, station, problem=in_words(error))


@action(certificates.MAY_CHANGE)
def answer_certificate_request(request: HttpRequest, identity: str, pk: int) -> HttpResponse:
    """Send the certificate that somebody made of a charger's request."""
    station = stationviews.station_of(identity)
    asked: CertificateRequest = get_object_or_404(CertificateRequest.objects.filter(station=station), pk=pk)
    form = certificates.AnswerForm(asked, request.POST)
    if form.is_valid():
        try:
            return _ask(request, station, asks.SendSignedCertificate(form.cleaned_data["chain"], asked.type, asked.pk))
        except BadCommand as error:
            form.add_error("chain", in_words(error))
    why = " ".join(str(error) for error in form["chain"].errors)
    return _refused(request, station, problem=why, requests=certificates.requests_of(station, may_change=True, refused=form))


@page
def export_certificates(request: HttpRequest, identity: str) -> HttpResponseBase:
    """The certificates of a charger as a file, those that are gone with them."""
    station = stationviews.station_of(identity)
    found = certificates.of(station)

    def chunk(last: InstalledCertificate | None, size: int) -> Sequence[InstalledCertificate]:
        return list((found if last is None else found.filter(pk__lt=last.pk))[:size])

    def cells(one: InstalledCertificate) -> Iterable[object]:
        said = (one.pk, one.type, one.subject, one.issuer, one.serial_number, one.not_before, one.not_after)
        named = (one.hash_algorithm, one.issuer_name_hash, one.issuer_key_hash)
        return (*said, *named, one.installed_at, one.reported_at, one.removed_at)

    return stream_csv(request, f"certificates-{slugify(station.identity) or 'charger'}", COLUMNS, chunk, cells)


@page
def export_certificate_requests(request: HttpRequest, identity: str) -> HttpResponseBase:
    """What a charger asked to have signed, and what came of it."""
    station = stationviews.station_of(identity)
    found = CertificateRequest.objects.filter(station=station).order_by("-id")

    def chunk(last: CertificateRequest | None, size: int) -> Sequence[CertificateRequest]:
        return list((found if last is None else found.filter(pk__lt=last.pk))[:size])

    def cells(one: CertificateRequest) -> Iterable[object]:
        said = (one.pk, one.type, one.subject, one.common_name, one.key, one.status, one.detail, " ".join(one.problems), one.count)
        return (*said, one.received_at, one.last_at, one.decided_at, one.csr)

    return stream_csv(request, f"certificate-requests-{slugify(station.identity) or 'charger'}", REQUEST_COLUMNS, chunk, cells)
