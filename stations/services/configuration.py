"""Settings as an operator wants them, beside what the station reports: wishes are kept, and sent as a command."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from accounts import audit
from accounts.models import User
from stations.domain.commands import SECRET, BadCommand, SetVariables
from stations.models import Command, Station, Variable
from stations.services import commands

#: Wishes sent with one command.
MOST = 100


@transaction.atomic
def want(*, variable: Variable, value: str, user: User | None = None) -> Command:
    """Keep what a setting shall be, and ask the station for it. Raises BadCommand if the station would never take it."""
    # A wish would stand there for everybody to read.
    if SECRET.search(variable.variable):
        raise BadCommand("%(name)s is a secret, and secrets are not kept here: set it at the charger.", name=variable.variable)
    if variable.mutability == "ReadOnly":
        raise BadCommand("%(name)s can only be read: the charger sets it itself.", name=variable.variable)
    allowed = [one.strip() for one in variable.values.split(",") if one.strip()] if variable.data_type == "OptionList" else []
    if allowed and value not in allowed:
        raise BadCommand("%(name)s must be one of %(options)s.", name=variable.variable, options=", ".join(allowed))
    command = SetVariables([_entry(variable, value)])
    command.check()
    _wish(variable, value)
    return commands.issue(station=variable.station, command=command, user=user)


@transaction.atomic
def forget(*, variable: Variable) -> None:
    """Want nothing of a setting any more. The station keeps what it has."""
    _wish(variable, None)


def apply(*, station: Station, user: User | None = None) -> Command | None:
    """Ask a station for every setting that is not as wanted. None: there is none."""
    found: Sequence[Variable] = Variable.objects.filter(station=station, wanted__isnull=False).exclude(wanted=F("value"))[:MOST]
    if not found:
        return None
    command = SetVariables([_entry(variable, variable.wanted or "") for variable in found])
    return commands.issue(station=station, command=command, user=user)


def _wish(variable: Variable, value: str | None) -> None:
    name = str(variable)
    before, after = {name: variable.wanted}, {name: value}
    Variable.objects.filter(pk=variable.pk).update(wanted=value)
    audit.record("setting.wanted", variable.station, operator=variable.operator_id, before=before, after=after)


def _entry(variable: Variable, value: str) -> dict[str, object]:
    entry: dict[str, object] = {"component": variable.component, "variable": variable.variable, "value": value}
    more = {
        "component_instance": variable.component_instance,
        "variable_instance": variable.variable_instance,
        "evse": variable.evse_number,
        "connector": variable.connector_number,
        "attribute": "" if variable.attribute == "Actual" else variable.attribute,
    }
    return entry | {name: part for name, part in more.items() if part}
