"""Buttons of the page that connects chargers: accept one, give it a password, take the one it sends, let it charge."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from csms.dashboard.acceptform import AcceptForm
from csms.dashboard.access import action, operator_of
from csms.dashboard.onboarding import FRESH, MAY_CHANGE, show
from stations.models import Refusal, Station
from stations.services import onboarding, registry, securityprofiles
from stations.services.onboarding import Terms


@action(MAY_CHANGE)
def accept_station(request: HttpRequest) -> HttpResponse:
    """Register a charger; a password that has to be entered at it is shown once, on the page that follows."""
    operator, identity = operator_of(request), request.POST.get("identity", "").strip()
    refusal = _refusal(request)
    form = AcceptForm(request.POST).about(refusal) if "by" in request.POST else None
    if form is not None and not form.is_valid():
        return show(request, form)
    terms = form.terms() if form else Terms(hold="hold" in request.POST)
    try:
        station, password = onboarding.accept(operator=operator, identity=identity, terms=terms, refusal=refusal)
    except ValidationError as error:
        known = Station.objects.filter(identity=identity).exists()
        if form is not None and not known:
            form.refuse(error)
            return show(request, form)
        words = _in_words(error, identity, known)
        request.session["onboarding_typed"] = {"identity": identity[:255], "error": words, "known": known}
        return redirect(reverse("onboarding") + "#register")
    return _with_password(request, station, password, new=True, hold=terms.hold)


@action(MAY_CHANGE)
def renew_password(request: HttpRequest) -> HttpResponse:
    """Give a known charger another password, shown once."""
    station = get_object_or_404(Station, identity=request.POST.get("identity", ""))
    try:
        password = registry.set_password(station=station)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("onboarding")
    return _with_password(request, station, password, new=False)


@action(MAY_CHANGE)
def take_password(request: HttpRequest) -> HttpResponse:
    """From now on a known charger's password is the one it sends."""
    station = get_object_or_404(Station, identity=request.POST.get("identity", ""))
    refusal = _refusal(request)
    try:
        if refusal is None:
            raise ValidationError(_("It sent no password that can be taken, or too long ago. Wait until it knocks again."))
        onboarding.take_sent(station=station, refusal=refusal, seen=request.POST.get("seen", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("onboarding")
    return _with_password(request, station, "", new=False)


@action(MAY_CHANGE)
def allow_lower(request: HttpRequest) -> HttpResponse:
    """A known charger may come once less securely than it has."""
    station = get_object_or_404(Station, identity=request.POST.get("identity", ""))
    try:
        securityprofiles.allow_lower(station=station, reason=request.POST.get("reason", "")[:1000])
        messages.success(request, _("%(identity)s may come without TLS once more.") % {"identity": station.identity})
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("onboarding")


@action(MAY_CHANGE)
def describe_station(request: HttpRequest, identity: str) -> HttpResponse:
    """What people call a charger, and where it stands."""
    station = get_object_or_404(Station, identity=identity)
    name, site = (request.POST.get(field, "")[:200] for field in ("name", "site"))
    try:
        onboarding.describe(station=station, name=name, site=site)
        messages.success(request, _("The name and the site are kept."))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("station", identity=station.identity)


def _refusal(request: HttpRequest) -> Refusal | None:
    """The knock that is acted on, if it is this network's or nobody's."""
    pk = request.POST.get("refusal", "")
    if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return None
    identity = request.POST.get("identity", "").strip()
    found = onboarding.refusal_for(operator=operator_of(request), identity=identity, pk=int(pk))
    return found if found and found.identity == identity else None


def _with_password(request: HttpRequest, station: Station, password: str, *, new: bool, hold: bool = False) -> HttpResponse:
    fresh = {"identity": station.identity, "password": password, "new": new, "hold": hold, "profile": station.security_profile}
    request.session[FRESH] = fresh
    return redirect(f"{reverse('onboarding')}?{urlencode({'waiting': station.identity})}")


def _in_words(error: ValidationError, identity: str, known: bool) -> str:
    if not identity:
        return _("Enter the identity that the charger uses.")
    if known:
        words = _("%(identity)s is registered in your network already. If its password is lost, give it a new one:")
        return words % {"identity": identity}
    if any(one.code == "unique" for one in error.error_dict.get("identity", [])):
        words = _("%(identity)s is taken: another network on this system uses it. Give the charger another identity.")
        return words % {"identity": identity}
    return " ".join(error.messages)
