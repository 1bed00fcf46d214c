"""OCPP 1.6 SetChargingProfile (5.16), ClearChargingProfile (5.5) and GetCompositeSchedule (5.7)."""

from typing import Any

from csms.ocpp import schedules, times
from csms.ocpp.translator import Outgoing, Payload, Unsayable
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.chargingprofiles import STATION_MAX, Profile
from stations.domain.commands import Outcome

#: What 2.x calls by the station 1.6 calls by the charge point.
PURPOSES = {STATION_MAX: "ChargePointMaxProfile"}
MEANT = {said: purpose for purpose, said in PURPOSES.items()}


def said(body: dict[str, Any], number: int) -> Payload:
    """A profile as csChargingProfiles has it. `number`: its id if it has none yet."""
    profile = Profile.of(body)
    if len(profile.schedules) > 1:
        raise Unsayable("OCPP 1.6 has one schedule in a profile.")
    schedule = profile.schedules[0]
    if any(one.phase_to_use is not None for one in schedule.periods):
        raise Unsayable("OCPP 1.6 cannot say which phase is to be used.")
    if profile.transaction is not None and not (profile.transaction.isascii() and profile.transaction.isdigit()):
        raise Unsayable("The transaction has no number that OCPP 1.6 knows it by.")
    more = {
        "transactionId": None if profile.transaction is None else int(profile.transaction),
        "recurrencyKind": profile.recurrency,
        "validFrom": None if profile.valid_from is None else times.emit(profile.valid_from),
        "validTo": None if profile.valid_to is None else times.emit(profile.valid_to),
    }
    told: Payload = {
        "chargingProfileId": number if profile.id is None else profile.id,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": PURPOSES.get(profile.purpose, profile.purpose),
        "chargingProfileKind": profile.kind,
        "chargingSchedule": schedules.said(schedule),
    }
    return told | {name: value for name, value in more.items() if value is not None}


def meant(payload: Payload) -> dict[str, Any]:
    """A plain profile, as `Profile.of` reads it."""
    purpose = payload["chargingProfilePurpose"]
    found = {"purpose": MEANT.get(purpose, purpose)} | schedules.traits(payload, [])
    found |= {"id": payload["chargingProfileId"], "schedules": [schedules.heard(payload["chargingSchedule"], [])]}
    return found | ({"transaction": str(payload["transactionId"])} if "transactionId" in payload else {})


class SetChargingProfile(Outgoing):
    action = "SetChargingProfile"
    command = commands.SetChargingProfile

    @staticmethod
    def encode(command: commands.SetChargingProfile, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"connectorId": command.evse, "csChargingProfiles": said(command.profile, number)}]

    @staticmethod
    def parse(payload: Payload) -> commands.SetChargingProfile:
        return commands.SetChargingProfile(payload["connectorId"], meant(payload["csChargingProfiles"]))

    @staticmethod
    def decode(command: commands.SetChargingProfile, sent: Payload, answer: Payload) -> Outcome:
        # One of the same purpose and stack level is replaced, whenever it is valid (5.16.1).
        facts = {"evse": sent["connectorId"], "profile": meant(sent["csChargingProfiles"]), "alone": True}
        return outcome(answer, facts=facts)


class ClearChargingProfile(Outgoing):
    action = "ClearChargingProfile"
    command = commands.ClearChargingProfile

    @staticmethod
    def encode(command: commands.ClearChargingProfile, number: int, limits: dict[str, int]) -> list[Payload]:
        purpose = None if command.purpose is None else PURPOSES.get(command.purpose, command.purpose)
        named = {"id": command.profile_id, "connectorId": command.evse, "chargingProfilePurpose": purpose}
        named |= {"stackLevel": command.stack_level}
        return [{name: value for name, value in named.items() if value is not None}]

    @staticmethod
    def parse(payload: Payload) -> commands.ClearChargingProfile:
        if "id" in payload:
            # The rest is not looked at then (5.5).
            return commands.ClearChargingProfile(payload["id"])
        purpose = payload.get("chargingProfilePurpose")
        return commands.ClearChargingProfile(
            None, payload.get("connectorId"), MEANT.get(purpose, purpose) if purpose else None, payload.get("stackLevel")
        )

    @staticmethod
    def decode(command: commands.ClearChargingProfile, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"cleared": command.params()})


class GetCompositeSchedule(Outgoing):
    action = "GetCompositeSchedule"
    command = commands.GetCompositeSchedule

    @staticmethod
    def encode(command: commands.GetCompositeSchedule, number: int, limits: dict[str, int]) -> list[Payload]:
        more = {} if command.unit is None else {"chargingRateUnit": command.unit}
        return [{"connectorId": command.evse, "duration": command.duration_s} | more]

    @staticmethod
    def parse(payload: Payload) -> commands.GetCompositeSchedule:
        return commands.GetCompositeSchedule(payload["connectorId"], payload["duration"], payload.get("chargingRateUnit"))

    @staticmethod
    def decode(command: commands.GetCompositeSchedule, sent: Payload, answer: Payload) -> Outcome:
        schedule = answer.get("chargingSchedule")
        start = answer.get("scheduleStart") or (schedule or {}).get("startSchedule")
        if schedule is None or start is None or answer["status"] != "Accepted":
            return outcome(answer)
        return outcome(answer, facts=schedules.composite(sent["connectorId"], start, schedule, sent["duration"]))
