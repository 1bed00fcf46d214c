"""What is asked next, once, when nothing is seen of what a station agreed to do, or nobody knows whether it heard.

The station is asked how it stands, so that whoever looks at the command sees it. What is asked here is never followed by anything
more, and a kind of command that is not here says why in `NOTHING_TO_ASK`, or why its answer is all there is in `ANSWER_IS_ALL`.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import orjson

from stations import ports
from stations.domain.commands import (
    Command,
    GetChargingProfiles,
    GetCompositeSchedule,
    GetTransactionStatus,
    GetVariables,
    TriggerMessage,
)
from stations.domain.commands.displaymessage import GetDisplayMessages
from stations.domain.commands.monitoring import MONITORING, SAYS_BASE, SAYS_LEVEL
from stations.flush import Cursor

#: The end of a command of which the station was to be seen to do something, and was not.
NO_EFFECT = "no_effect"
#: No answer came, or one that says nothing or could not be kept: nobody knows whether the station heard. Those of which it tells
#: nothing by itself when it is back.
NO_ANSWER, FAILED, INTERNAL_ERROR = "timed_out", "failed", "InternalError"
LEFT_OPEN = frozenset({INTERNAL_ERROR, "GenericError", "InvalidAnswer"})
ASKED_WITHOUT_ANSWER = frozenset(
    {
        *("remote_start", "remote_stop", "unlock_connector", "change_availability"),
        *("set_charging_profile", "clear_charging_profile", "set_display_message", "clear_display_message"),
        *("set_monitoring_base", "set_monitoring_level"),
    }
)
Params = dict[str, Any]


def _status_of(params: Params) -> TriggerMessage:
    """How its plugs are: those of the EVSE it is about, or all."""
    return TriggerMessage("StatusNotification", params.get("evse") or None)


def _limits_of(params: Params) -> tuple[Command, ...]:
    """Which charging profiles it holds; a version that cannot tell says what comes of them."""
    return GetChargingProfiles(), GetCompositeSchedule(params.get("evse") or 0)


def _said(names: Iterable[str]) -> Callable[[Params], tuple[Command, ...]]:
    """What is at work, by all the names under which stations say it."""
    return lambda params: (GetVariables([{"component": MONITORING, "variable": name} for name in names]),)


def _how_far(params: Params) -> TriggerMessage:
    """How far an update is; of one that said that it is installed (`installed`): the version it runs."""
    return TriggerMessage("BootNotification" if params.get("installed") else "FirmwareStatusNotification")


#: By the kind of command: what is asked next. The first that the station's version has words for is asked.
FOLLOW_UPS: dict[str, Callable[[Params], tuple[Command, ...]]] = {
    "remote_start": lambda params: (_status_of(params),),
    "remote_stop": lambda params: (GetTransactionStatus(params["transaction"]), TriggerMessage("MeterValues")),
    "unlock_connector": lambda params: (_status_of(params),),
    "change_availability": lambda params: (_status_of(params),),
    "reserve_now": lambda params: (_status_of(params),),
    "reset": lambda params: (TriggerMessage("BootNotification"),),
    "get_log": lambda params: (TriggerMessage("LogStatusNotification"),),
    "update_firmware": lambda params: (_how_far(params),),
    "set_charging_profile": _limits_of,
    "clear_charging_profile": _limits_of,
    "set_monitoring_base": _said(SAYS_BASE),
    "set_monitoring_level": _said(SAYS_LEVEL),
    "set_display_message": lambda params: (GetDisplayMessages(),),
    "clear_display_message": lambda params: (GetDisplayMessages(),),
}
#: Those whose effect is awaited, and why nothing is asked when it does not come.
NOTHING_TO_ASK: dict[str, str] = {
    "trigger_message": "it is itself the question how things stand",
    **dict.fromkeys(
        (
            *("get_base_report", "get_report", "get_monitoring_report", "get_charging_profiles", "get_display_messages"),
            "customer_information",
        ),
        "pages that came are kept, and what is missing is asked for by whoever wants it",
    ),
    "publish_firmware": "how far it is stands in its own row, which gives up",
}
#: Those whose answer is all there is to know, and why.
ANSWER_IS_ALL: dict[str, str] = {
    "clear_cache": "the answer says that it was cleared, and nothing else shows it",
    "data_transfer": "what it means is the vendor's",
    "set_variables": "the answer tells of each; what was accepted is read again",
    "unlock_connector": "the answer says whether it was unlocked",
    "customer_information": "where it only clears, the answer says that it does",
    "reserve_now": "the reservation follows the answer, and stands in its own row",
    "cancel_reservation": "the answer says whether it was taken back",
    "certificate_signed": "the answer says whether the chain was taken; its use shows at the next connection",
    **dict.fromkeys(
        (
            *("get_variables", "get_transaction_status", "get_local_list_version", "get_composite_schedule"),
            "get_installed_certificates",
        ),
        "the answer is what was asked for",
    ),
    **dict.fromkeys(
        (
            *("send_local_list", "set_network_profile", "set_charging_profile", "clear_charging_profile"),
            *("set_monitoring_base", "set_monitoring_level", "set_variable_monitoring", "clear_variable_monitoring"),
            *("install_certificate", "delete_certificate", "unpublish_firmware"),
            *("set_display_message", "clear_display_message", "cost_updated", "final_cost", "set_user_price"),
        ),
        "the answer says whether it was taken, and what the station holds then is kept with it",
    ),
}


def unheard(status: str, error: str = "") -> bool:
    """Whether nobody knows if the station did what it was asked."""
    return status == NO_ANSWER or (status == FAILED and error in LEFT_OPEN)


def next_of(kind: str, params: Params, status: str, protocol: str, error: str = "") -> Command | None:
    """What is asked next of a station of this protocol after a command that ended so; None: nothing."""
    left_open = kind in ASKED_WITHOUT_ANSWER and unheard(status, error)
    sayable = ports.sayable(protocol)
    asked = FOLLOW_UPS.get(kind) if kind in sayable and (left_open or status == NO_EFFECT) else None
    return next((one for one in asked(params) if one.kind in sayable), None) if asked else None


def row(command: Command, after: int, now: datetime) -> dict[str, Any]:
    """The row of what is asked next, after a command by its key, without whose it is."""
    return {
        "kind": command.kind,
        "params": command.params(),
        "reason": f"To see what came of command {after}.",
        "created_at": now,
        "expires_at": now + timedelta(seconds=command.expires_s),
    }


PROTOCOLS = "SELECT station_id, protocol FROM stations_connection WHERE station_id = ANY(%s)"
ASK = """
INSERT INTO stations_command (operator_id, station_id, kind, params, reason, created_at, expires_at,
    status, action, message_id, facts, detail, error_code)
VALUES (%(operator)s, %(station)s, %(kind)s, %(params)s, %(reason)s, %(created_at)s, %(expires_at)s,
    'queued', '', '', '{}', '', '')
"""
NOTED = "UPDATE stations_command SET facts = facts || %s::jsonb WHERE id = %s"


def write(cursor: Cursor, operator_id: int, station_id: int, fields: dict[str, Any]) -> None:
    """Ask a station, by such a row."""
    params = orjson.dumps(fields["params"]).decode()
    cursor.execute(ASK, fields | {"operator": operator_id, "station": station_id, "params": params})


def ask(cursor: Cursor, ended: Iterable[tuple[int, int, int, str, Params]], status: str, *, now: datetime) -> list[int]:
    """Ask what follows these commands (operator, station, key, kind, params), which ended so. Returns the stations it asked."""
    rows = [one for one in ended if one[3] in FOLLOW_UPS] if status in (NO_EFFECT, NO_ANSWER) else []
    if not rows:
        return []
    cursor.execute(PROTOCOLS, ([station_id for _, station_id, *_ in rows],))
    protocols: dict[int, str] = dict(cursor.fetchall())
    asked = []
    for operator_id, station_id, pk, kind, params in rows:
        command = next_of(kind, params, status, protocols.get(station_id, ""))
        if command is None:
            continue
        write(cursor, operator_id, station_id, row(command, pk, now))
        cursor.execute(NOTED, (orjson.dumps({"asked_then": command.kind}).decode(), pk))
        asked.append(station_id)
    return asked
