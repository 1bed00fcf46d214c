"""OCPP 1.6 SendLocalList (5.15) and GetLocalListVersion (5.10)."""

from datetime import datetime
from typing import Any

from csms.ocpp import times
from csms.ocpp.translator import Outgoing, Payload, Unsayable
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome, Verdict

#: 1.6 has five statuses (7.2 AuthorizationStatus); all others are Invalid to it.
STATUSES = ("Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx")

#: What the variables of a list are called here (1.6 9.1), by component and name in 2.x.
KEYS = {
    ("LocalAuthListCtrlr", "Enabled"): "LocalAuthListEnabled",
    ("LocalAuthListCtrlr", "Entries"): "LocalAuthListMaxLength",
    ("LocalAuthListCtrlr", "ItemsPerMessage"): "SendLocalListMaxLength",
}


class SendLocalList(Outgoing):
    """In as many calls as the command has chunks, each of the next version; the first is what the command is, the others change
    the list it made.
    """

    action = "SendLocalList"
    command = commands.SendLocalList
    in_steps = True

    @staticmethod
    def encode(command: commands.SendLocalList, number: int, limits: dict[str, int]) -> list[Payload]:
        payloads, start = [], 0
        for n, size in enumerate(command.chunks or [len(command.entries or [])]):
            update = "Full" if command.update == "full" and n == 0 else "Differential"
            payload: Payload = {"listVersion": (command.version or 1) + n, "updateType": update}
            # 1.6 knows no types: of two tags of one value in a message the one that stays counts, not the one that goes.
            entries: dict[str, Payload] = {}
            for one in (command.entries or [])[start : start + size]:
                entry = _entry(one)
                if "idTagInfo" in entry or entry["idTag"].upper() not in entries:
                    entries[entry["idTag"].upper()] = entry
            if entries:
                payload["localAuthorizationList"] = list(entries.values())
            payloads.append(payload)
            start += size
        return payloads

    @staticmethod
    def parse(payload: Payload) -> commands.SendLocalList:
        entries = [_read(one) for one in payload.get("localAuthorizationList", [])]
        return commands.SendLocalList(payload["updateType"].lower(), entries, payload["listVersion"])

    @staticmethod
    def decode(command: commands.SendLocalList, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"version": sent["listVersion"]})


def _entry(one: dict[str, Any]) -> Payload:
    if len(one["id_token"]) > 20:
        raise Unsayable(f"OCPP 1.6 has id tags of at most 20 characters: {one['id_token']}.")
    if one.get("remove"):
        return {"idTag": one["id_token"]}
    status = one.get("status", "Accepted")
    info: Payload = {"status": status if status in STATUSES else "Invalid"}
    if one.get("expires_at"):
        info["expiryDate"] = times.emit(datetime.fromisoformat(one["expires_at"]))
    if one.get("group"):
        info["parentIdTag"] = one["group"]
    return {"idTag": one["id_token"], "idTagInfo": info}


def _read(one: Payload) -> dict[str, Any]:
    info = one.get("idTagInfo")
    if info is None:
        return {"id_token": one["idTag"], "remove": True}
    told = {"expires_at": info.get("expiryDate"), "group": info.get("parentIdTag")}
    return {"id_token": one["idTag"], "status": info["status"]} | {name: value for name, value in told.items() if value}


class GetLocalListVersion(Outgoing):
    action = "GetLocalListVersion"
    command = commands.GetLocalListVersion

    @staticmethod
    def encode(command: commands.GetLocalListVersion, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{}]

    @staticmethod
    def parse(payload: Payload) -> commands.GetLocalListVersion:
        return commands.GetLocalListVersion()

    @staticmethod
    def decode(command: commands.GetLocalListVersion, sent: Payload, answer: Payload) -> Outcome:
        # -1: it keeps no lists; 0: it has none now.
        version = answer["listVersion"]
        return Outcome(Verdict.ACCEPTED, f"Version {version}", facts={"version": version})
