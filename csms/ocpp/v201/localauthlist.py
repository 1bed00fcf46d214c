"""OCPP 2.0.1 SendLocalList (D01) and GetLocalListVersion (D02)."""

from datetime import datetime
from typing import Any

from csms.ocpp import times
from csms.ocpp.translator import Outgoing, Payload
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome, Verdict


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
            payload: Payload = {"versionNumber": (command.version or 1) + n, "updateType": update}
            if entries := [_entry(one) for one in (command.entries or [])[start : start + size]]:
                payload["localAuthorizationList"] = entries
            payloads.append(payload)
            start += size
        return payloads

    @staticmethod
    def parse(payload: Payload) -> commands.SendLocalList:
        entries = [_read(one) for one in payload.get("localAuthorizationList", [])]
        return commands.SendLocalList(payload["updateType"].lower(), entries, payload["versionNumber"])

    @staticmethod
    def decode(command: commands.SendLocalList, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"version": sent["versionNumber"]})


def _entry(one: dict[str, Any]) -> Payload:
    token: Payload = {"idToken": {"idToken": one["id_token"], "type": one.get("type", "ISO14443")}}
    if one.get("remove"):
        return token
    info: Payload = {"status": one.get("status", "Accepted")}
    if one.get("expires_at"):
        info["cacheExpiryDateTime"] = times.emit(datetime.fromisoformat(one["expires_at"]))
    if one.get("group"):
        info["groupIdToken"] = {"idToken": one["group"], "type": "Central"}
    return token | {"idTokenInfo": info}


def _read(one: Payload) -> dict[str, Any]:
    token, info = one["idToken"], one.get("idTokenInfo")
    named = {"id_token": token["idToken"], "type": token["type"]}
    if info is None:
        return named | {"remove": True}
    told = {"expires_at": info.get("cacheExpiryDateTime"), "group": (info.get("groupIdToken") or {}).get("idToken")}
    return named | {"status": info["status"]} | {name: value for name, value in told.items() if value}


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
        version = answer["versionNumber"]
        return Outcome(Verdict.ACCEPTED, f"Version {version}", facts={"version": version})
