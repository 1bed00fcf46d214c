"""From a knock to the first charge: a station that was turned away is accepted, held while it is configured, and let go."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope, scopes_disabled

from accounts import audit
from accounts.models import Operator, User
from stations.domain.commands import TriggerMessage
from stations.domain.values import Registration
from stations.models import Refusal, Station
from stations.selectors import online
from stations.services import commands, groupterms, registry
from stations.services.connections import SENT_KEPT_FOR

#: Refusals that one looks at of an identity that nobody has claimed.
CLAIMED = 10


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a station is accepted.

    `by`: "made" and "typed" are passwords that somebody has to enter at the charger, "sent" is the one that it uses already, "none"
    is for those that present none. `seen` is the `mark` of what whoever decides has looked at.
    """

    by: str = "made"
    password: str = ""
    security_profile: int = 1
    hold: bool = False
    name: str = ""
    site: str = ""
    seen: str = ""


def mark(refusal: Refusal) -> str:
    """Stands for the password that was sent, in the form by which it is accepted: another one sent meanwhile has another mark."""
    return hashlib.sha256(refusal.sent_hash.encode()).hexdigest()[:16] if refusal.sent_hash else ""


def unclaimed(identity: str) -> QuerySet[Refusal]:
    """Who knocked under exactly this identity, which belongs to no network: to be seen by whoever can name it."""
    found: QuerySet[Refusal] = Refusal.objects.with_scopes_disabled().filter(operator__isnull=True, identity=identity)
    with scopes_disabled():
        known = Station.objects.filter(identity=identity).exists()
    return found.none() if known or not identity else found.order_by("-last_at")[:CLAIMED]


def refusal_for(*, operator: Operator, pk: int, identity: str = "") -> Refusal | None:
    """A refusal that an operator may act on: its own, or one that is nobody's, of exactly this identity."""
    nobodys = Q(operator__isnull=True, identity=identity)
    return Refusal.objects.with_scopes_disabled().filter(Q(operator=operator) | nobodys, pk=pk).first()


def accept(
    *, operator: Operator, identity: str, terms: Terms, refusal: Refusal | None = None, now: datetime | None = None
) -> tuple[Station, str]:
    """Register a station on these terms. Returns it and the password to enter at it, "" if there is none to enter."""
    sent_hash = ""
    if terms.by == "sent":
        sent_hash = sent_by(refusal, terms.seen, now or timezone.now())
    profile = 0 if terms.by == "none" else max(terms.security_profile, 1)
    with transaction.atomic():
        site = registry.site_named(operator=operator, name=terms.site) if terms.site.strip() else None
        station, password = registry.add_station(
            operator=operator,
            identity=identity,
            site=site,
            name=terms.name,
            password=terms.password if terms.by == "typed" else None,
            sent_hash=sent_hash,
            security_profile=profile,
            registration=Registration.PENDING if terms.hold else Registration.ACCEPTED,
        )
        # Those who see the network see who knocked for it.
        Refusal.objects.with_scopes_disabled().filter(identity=identity, operator__isnull=True).update(operator=operator)
    return station, password or ""


def take_sent(*, station: Station, refusal: Refusal, seen: str, now: datetime | None = None) -> None:
    """From now on the password is the one that a station was turned away with. Not while it is connected with its own: then
    somebody else knocks in its name. Raises ValidationError."""
    with scope(operator=station.operator):
        if online().filter(pk=station.pk).exists():
            raise ValidationError({"by": _("It is connected with its own password, so whoever knocks may be somebody else.")})
    registry.set_password(station=station, sent_hash=sent_by(refusal, seen, now or timezone.now()))


def sent_by(refusal: Refusal | None, seen: str, now: datetime) -> str:
    """The hash of what a station sent, if it is what was looked at. Raises ValidationError."""
    if refusal is None or not refusal.sent_hash or refusal.last_at < now - SENT_KEPT_FOR:
        raise ValidationError({"by": _("It sent no password that can be taken, or too long ago. Wait until it knocks again.")})
    if mark(refusal) != seen:
        raise ValidationError({"by": _("It has sent another password meanwhile. Look again who knocks, then accept it.")})
    return refusal.sent_hash


@transaction.atomic
def describe(*, station: Station, name: str, site: str) -> None:
    """What people call a station, and where it stands; "" for nowhere."""
    with scope(operator=station.operator):
        registry.bump(station.pk)
        before = audit.fields_of(station, "name", "site")
        station.name = name.replace("\x00", "").strip()
        station.clean_fields()
        was, station.site = station.site_id, registry.site_named(operator=station.operator, name=site) if site.strip() else None
        if station.site_id != was:
            registry.bump(station.pk)
            groupterms.moved(station)
        station.save(update_fields=["name", "site"])
        audit.record(
            "station.changed", station, operator=station.operator_id, before=before, after=audit.fields_of(station, "name", "site")
        )


@transaction.atomic
def let_charge(*, station: Station, user: User | None = None) -> bool:
    """Accept a station that was told to wait. True: it is connected, and asked to boot at once; else its next boot is accepted."""
    registry.set_registration(station=station, registration=Registration.ACCEPTED)
    asked = station.accepted_at is None and online().filter(pk=station.pk).exists()
    if asked:
        commands.issue(station=station, command=TriggerMessage("BootNotification"), user=user)
    return asked
