"""Charging by app and web: a driver starts a plug, and stops what they started. Cards go their own way, through the station."""

from collections.abc import Iterable

from django.db import transaction as db
from django.utils.translation import gettext as _
from django_scopes import scope

from accounts.drivers import token_of
from accounts.models import IdTokenStatus, Kind, User
from stations import charging, selectors
from stations.charging import Plug, Start, follow, history, plug, running, starts
from stations.domain.commands import BadCommand, RemoteStart, RemoteStop
from stations.domain.values import ConnectorStatus, TransactionStatus
from stations.models import Command, Evse, Transaction
from stations.models.command import OPEN
from stations.services import commands

__all__ = ["Plug", "Refused", "Start", "follow", "history", "plug", "running", "start", "starts", "stop", "why_not"]


class Refused(Exception):
    """It cannot be started or stopped now. The text says to the driver why, and what to do.

    `code`: not_yours, blocked, offline, faulted, unavailable, reserved, occupied, claimed, mine, elsewhere, ended.
    `others`: the station's plugs that are free instead.
    """

    def __init__(self, code: str, text: str, others: Iterable[int] = ()) -> None:
        super().__init__(text)
        self.code, self.others = code, list(others)


def start(*, driver: User, evse: Evse, idempotency_key: str | None = None) -> Command:
    """Ask a plug to charge for the driver. Raises Refused. Asked twice while it is under way, it is the same command."""
    station = evse.station
    if driver.kind != Kind.DRIVER or driver.operator_id != station.operator_id or not driver.is_active:
        raise Refused("not_yours", _("Your account is of another network than this charger. Sign up with the charger's operator."))
    with scope(operator=station.operator_id), db.atomic():
        # One start of a driver at a time: two at once would both find nothing under way.
        User.objects.select_for_update(no_key=True).get(pk=driver.pk)
        # And one at a plug: two drivers at once would both find it free.
        Evse.objects.select_for_update(no_key=True).filter(pk=evse.pk).first()
        key = f"driver-{driver.pk}-{idempotency_key}" if idempotency_key else None
        if key and (known := Command.objects.filter(operator_id=station.operator_id, idempotency_key=key).first()):
            return known
        found = charging.plug(station.identity, evse.number, driver=driver)
        token = token_of(driver)
        if found is None:
            raise Refused("unavailable", _("This plug is not there any more."))
        if found.starting is not None:
            return found.starting
        if driver.blocked_because:
            text = _("Your account is blocked: %(why)s Ask the operator.") % {"why": _sentence(driver.blocked_because)}
            raise Refused("blocked", text)
        if token is None or token.status != IdTokenStatus.ACCEPTED:
            raise Refused("blocked", _("Your id tag is blocked. Ask the operator."))
        check(found)
        if not station.operator.concurrent_transactions and (elsewhere := charging.running(driver)):
            where = {"station": elsewhere[0].station.identity}
            raise Refused("elsewhere", _("You are charging at %(station)s already. Stop there first.") % where)
        # A charger lets the id tag charge for which it keeps the plug, or one of its group, and no other of the driver's.
        tag, kind = found.kept_for or (token.value, token.type)
        command = RemoteStart(id_token=tag, evse=evse.number, id_token_type=kind)
        command.check()
        return commands.issue(station=station, command=command, user=driver, idempotency_key=key)


def check(found: Plug) -> None:
    """Raises Refused if the plug cannot be started now."""
    if found.mine:
        raise Refused("mine", _("You are charging here already."))
    if found.free:
        return
    code, text = _why(found)
    raise Refused(code, f"{text} {_instead(found.others)}", found.others)


def why_not(found: Plug) -> Refused | None:
    """Why the plug cannot be started now, to be shown before anybody tries; None: it can."""
    try:
        check(found)
    except Refused as error:
        return error
    return None


def _why(found: Plug) -> tuple[str, str]:
    if found.state == selectors.OFFLINE:
        return "offline", _("This charger cannot be reached at the moment.")
    if found.state == ConnectorStatus.FAULTED:
        return "faulted", _("This plug is faulted.")
    if found.state == ConnectorStatus.UNAVAILABLE:
        return "unavailable", _("This plug is out of service.")
    if found.state == ConnectorStatus.RESERVED:
        return "reserved", _("This plug is reserved for somebody else.")
    if found.claimed and found.session is None and found.state in charging.STARTABLE:
        return "claimed", _("Somebody else is just starting here.")
    return "occupied", _("Somebody else is charging here.")


def _instead(others: list[int]) -> str:
    if others:
        return _("Try plug %(number)s.") % {"number": others[0]}
    return _("Try another charger nearby.")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def stop(*, driver: User, transaction: Transaction) -> Command:
    """Ask the station to end the driver's session. Raises Refused. Asked twice while it is under way, it is the same command."""
    with scope(operator=driver.operator_id or []), db.atomic():
        User.objects.select_for_update(no_key=True).get(pk=driver.pk)
        own = charging.history(driver).filter(pk=transaction.pk).first()
        if own is None:
            raise Refused("not_yours", _("This is not a session of yours."))
        if own.status == TransactionStatus.ENDED:
            raise Refused("ended", _("This session has ended already."))
        params = {"params__transaction": own.ocpp_transaction_id}
        asked = Command.objects.filter(station=own.station_id, kind="remote_stop", status__in=OPEN, requested_by=driver, **params)
        if (known := asked.first()) is not None:
            return known
        if not selectors.online().filter(pk=own.station_id).exists():
            text = _("This charger cannot be reached at the moment. Unplug at the car, or hold your card to the charger.")
            raise Refused("offline", text)
        try:
            return commands.issue(station=own.station, command=RemoteStop(own.ocpp_transaction_id), user=driver)
        except BadCommand as error:
            raise Refused("ended", _("This session has ended already.")) from error
