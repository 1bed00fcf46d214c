"""No station comes back less secure than it has been, unless somebody says so (OCPP 2.0.1 A05).

Security profiles: 1 is a password (HTTP Basic), 2 a password and TLS, 3 a client certificate, which is not there yet. By which of
them a station came is known from its knock: its password was checked, and it came by TLS, as our own socket says or a trusted
proxy. A station of profile 0 presents nothing that is checked, so TLS makes no higher profile of it.
"""

from collections.abc import Mapping

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from stations.domain.commands import BadCommand, Command, SetNetworkProfile, SetVariables
from stations.flush import Cursor
from stations.models import Station

#: What stations call the variable, in lower case: SecurityCtrlr.SecurityProfile, and the key of 1.6's security extension.
VARIABLE = "securityprofile"
LONGEST_REASON = 200
REACHED = """
UPDATE stations_station AS s SET highest_profile = v.profile FROM unnest(%s::bigint[], %s::smallint[]) AS v(id, profile)
WHERE s.id = v.id AND s.highest_profile < v.profile
"""


def of_knock(demanded: int, *, secure: bool) -> int:
    """By which profile a station came that was let in. `demanded`: the least that it must come by."""
    if demanded == 0:
        return 0
    return 2 if secure else 1


def least(station: Station) -> int:
    """The profile below which a station is not led."""
    if settings.ALLOW_SECURITY_DOWNGRADE:
        return station.security_profile
    return max(station.security_profile, station.highest_profile)


def reached(cursor: Cursor, profiles: Mapping[int, int]) -> None:
    """Remember the highest profile by which these stations came: station id to profile."""
    cursor.execute(REACHED, (list(profiles), list(profiles.values())))


def check(station: Station, command: Command) -> None:
    """Raises BadCommand if a command would lead a station to a lower profile: it is never lowered over the air (A05)."""
    if isinstance(command, SetNetworkProfile):
        _check(station, command.security_profile)
    elif isinstance(command, SetVariables):
        for one in command.variables:
            value = str(one["value"]).strip()
            if one["variable"].lower() == VARIABLE and value.isdecimal() and len(value) < 5:
                _check(station, int(value))


def _check(station: Station, wanted: int) -> None:
    now = least(station)
    if wanted < now:
        raise BadCommand(
            "security_profile %(wanted)s is lower than that of %(station)s, which is %(now)s, and never lowered over the air: "
            "choose %(now)s or higher.",
            wanted=wanted,
            station=station.identity,
            now=now,
        )


@transaction.atomic
def allow_lower(*, station: Station, reason: str) -> None:
    """Let a station come once more by a lower profile than it has come by: down to what is demanded of it. When it has come by a
    higher one again, that counts again. Raises ValidationError."""
    reason = reason.replace("\x00", "").strip()
    if not reason:
        raise ValidationError({"reason": _("Say why it may come less securely than it did: the audit keeps it.")})
    found = Station.objects.select_for_update().get(pk=station.pk)
    if found.highest_profile <= found.security_profile:
        words = _("%(identity)s has come by no higher profile than is demanded of it: there is nothing to allow.")
        raise ValidationError({"reason": words % {"identity": found.identity}})
    before = audit.fields_of(found, "highest_profile")
    found.highest_profile = station.highest_profile = 0
    found.save(update_fields=["highest_profile"])
    after = audit.fields_of(found, "highest_profile")
    audit.record(
        "station.lower_allowed", found, operator=found.operator_id, before=before, after=after, note=reason[:LONGEST_REASON]
    )
