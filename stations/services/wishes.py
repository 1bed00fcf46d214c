"""What people want in and out of service, given up (OCPP 2.0.1 G03-G04, 1.6 5.2). `stations.outofservice` reads it."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User
from stations import outofservice
from stations.domain.commands import ChangeAvailability
from stations.models import Command, Station
from stations.models.command import OPEN
from stations.services import commandends, commands


def give_up(*, station: Station, evse: int, connector: int | None, user: User | None = None, reason: str = "") -> Command | None:
    """Want nothing of a place any more: what was not sent yet is taken back, so that what was wanted before counts again (None);
    what is out of service is put back into it, by the command returned. Raises ValidationError where nothing is wanted.
    """
    wish = next((one for one in outofservice.wishes(station) if (one.evse, one.connector) == (evse, connector)), None)
    if wish is None:
        raise ValidationError({"operative": _("Nothing is wanted of this place: it is in service as far as you are concerned.")})
    if wish.command.status in OPEN and commandends.cancel(command=wish.command):
        return None
    if wish.operative:
        raise ValidationError({"operative": _("It is wanted in service already, and the charger was told.")})
    return commands.issue(station=station, command=ChangeAvailability(True, evse, connector), user=user, reason=reason)
