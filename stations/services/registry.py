"""Which stations there are, and what they must present to be let in: what pages, the shell and the API do to station rows.

Whatever changes what a connected station's memory holds calls `bump` first, in the same transaction: it locks the row that
every batch of the station locks, so no batch works on with the old state.
"""

import secrets

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope

from accounts import audit
from accounts.models import Operator
from accounts.tokens import taken
from stations import ports
from stations.credentials import LEAST, MOST, hash_password
from stations.domain.values import Registration
from stations.models import ChangeStatus, Connection, LogUpload, PasswordChange, Site, Station, Transaction
from stations.services import commandends

#: Without what is easily mistaken when it is typed from paper.
ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
PASSWORD_MADE = 20
#: What the audit tells of a station that came or went.
TOLD = ("identity", "site", "security_profile")
#: Above the number of any socket.
ANY_FENCE = 2**63 - 1


def bump(station_id: int) -> None:
    """Makes every process load the station's state anew. To be called first in the transaction that changes it."""
    # By the row's key alone: the caller's scope has already found the station.
    Connection.objects.with_scopes_disabled().filter(station_id=station_id).update(state_version=F("state_version") + 1)


def add_station(
    *,
    operator: Operator,
    identity: str,
    site: Site | None = None,
    password: str | None = None,
    security_profile: int = 1,
    sent_hash: str = "",
    name: str = "",
    registration: Registration = Registration.ACCEPTED,
    strict: bool = False,
) -> tuple[Station, str | None]:
    """A station that may connect from now on, and its password: the one given, else one made; None with profile 0, or where it
    keeps the one that it sent (`sent_hash`)."""
    _check_profile(security_profile)
    if security_profile == 0 and password:
        raise ValidationError(
            {"password": _("A station of security profile 0 presents no password: leave it out, or use profile 1.")}
        )
    if site is not None and site.operator_id != operator.pk:
        raise ValidationError({"site": _("The site belongs to another operator.")})
    if security_profile and not sent_hash:
        password = make_password() if password is None else check_password(password)
    station = Station(
        operator=operator,
        site=site,
        identity=identity,
        security_profile=security_profile,
        password_hash=sent_hash or (hash_password(password) if password else ""),
        name=name.strip(),
        registration=registration.value,
        strict=strict,
    )
    with scope(operator=operator):
        station.clean_fields()
        try:
            with transaction.atomic():
                station.save(force_insert=True)
                Connection.objects.create(station=station, operator=operator)
                told = (*TOLD, "strict") if strict else TOLD
                audit.record("station.added", station, operator=operator, after=audit.fields_of(station, *told))
        except IntegrityError as error:
            message = _("The identity %(identity)s is taken: identities are unique over the whole system.") % {"identity": identity}
            raise taken("identity", message) from error
    return station, password


def add_as_it_comes(*, operator: Operator, identity: str, password: bytes | None) -> None:
    """Registers an unknown station with whatever it presents (CSMS_ACCEPT_UNKNOWN, for trials): accepted, if its name is valid."""
    try:
        text = password.decode() if password else ""
        station = Station(operator=operator, identity=identity, security_profile=1 if text else 0)
        station.password_hash = hash_password(text) if text else ""
        station.clean_fields()
        with scope(operator=operator), transaction.atomic():
            station.save(force_insert=True)
            Connection.objects.create(station=station, operator=operator)
    except (UnicodeDecodeError, ValidationError, IntegrityError):
        return  # it is refused as any unknown station is


def site_named(*, operator: Operator, name: str) -> Site:
    """The operator's site of that name, made if there is none."""
    with scope(operator=operator):
        site = Site(operator=operator, name=name.strip())
        site.clean_fields()
        with transaction.atomic():
            found, new = Site.objects.get_or_create(operator=operator, name=site.name)
            if new:
                audit.record("site.added", found, operator=operator, after={"name": found.name})
        return found


@transaction.atomic
def remove_station(*, station: Station) -> None:
    """Removes a station that never charged. Its socket is closed; its message log stays until its month is dropped."""
    bump(station.pk)
    with scope(operator=station.operator):
        if Transaction.objects.filter(station=station).exists():
            raise ValidationError(
                f"{station.identity} has transactions, which must be kept for their bills. "
                "To turn the station away, set its registration to Rejected."
            )
        station_id = station.pk
        paths = list(LogUpload.objects.filter(station=station).exclude(path="").values_list("path", flat=True))
        audit.record("station.removed", station, operator=station.operator_id, before=audit.fields_of(station, *TOLD))
        station.delete()
        transaction.on_commit(lambda: ports.files.delete(paths))
    transaction.on_commit(lambda: ports.bell.fenced(station_id, ANY_FENCE))


@transaction.atomic
def set_password(*, station: Station, password: str | None = None, sent_hash: str = "") -> str:
    """Gives a station a new password, made if none is given, or the one that it sent. The old one no longer opens a socket; an open
    one stays. What it was being given over the air is void."""
    if station.security_profile == 0:
        raise ValidationError(
            {"password": _("%(identity)s is of security profile 0, which has no password.") % {"identity": station.identity}}
        )
    password = "" if sent_hash else make_password() if password is None else check_password(password)
    bump(station.pk)
    with scope(operator=station.operator):
        for change in PasswordChange.objects.filter(station=station, finished_at__isnull=True).select_related("command__station"):
            if change.command is not None:
                commandends.cancel(command=change.command)
            found = PasswordChange.objects.filter(pk=change.pk, finished_at__isnull=True)
            found.update(status=ChangeStatus.REPLACED, finished_at=timezone.now())
    before = audit.fields_of(station, "password_hash")
    station.password_hash = sent_hash or hash_password(password)
    station.save(update_fields=["password_hash"])
    after = audit.fields_of(station, "password_hash")
    audit.record("station.password_changed", station, operator=station.operator_id, before=before, after=after)
    return password


@transaction.atomic
def set_registration(*, station: Station, registration: Registration | str) -> None:
    """What the station's next BootNotification is answered (OCPP 2.0.1 B01 to B03). Until then it goes on as it is."""
    try:
        value = Registration(registration)
    except ValueError:
        raise ValidationError({"registration": f"{registration} is none of {', '.join(Registration)}."}) from None
    bump(station.pk)
    before = audit.fields_of(station, "registration")
    station.registration = value.value
    station.save(update_fields=["registration"])
    after = audit.fields_of(station, "registration")
    audit.record("station.changed", station, operator=station.operator_id, before=before, after=after)


@transaction.atomic
def set_strict(*, station: Station, strict: bool) -> None:
    """Whether what breaks the schema is refused from this station instead of mended. From its next message on."""
    bump(station.pk)
    before = audit.fields_of(station, "strict")
    station.strict = strict
    station.save(update_fields=["strict"])
    audit.record("station.changed", station, operator=station.operator_id, before=before, after=audit.fields_of(station, "strict"))


def make_password() -> str:
    return "".join(secrets.choice(ALPHABET) for _letter in range(PASSWORD_MADE))


def check_password(password: str) -> str:
    if not LEAST <= len(password) <= MOST:
        raise ValidationError(
            {
                "password": _("A station's password has %(least)s to %(most)s characters, not %(n)s.")
                % {"least": LEAST, "most": MOST, "n": len(password)}
            }
        )
    if not password.isprintable():
        raise ValidationError({"password": _("A station's password has printable characters only.")})
    return password


def _check_profile(profile: int) -> None:
    if profile == 3:
        raise ValidationError({"security_profile": "Security profile 3 needs client certificates, which are not there yet: use 2."})
    if profile not in (0, 1, 2):
        raise ValidationError({"security_profile": f"There is no security profile {profile}: use 0, 1 or 2."})
