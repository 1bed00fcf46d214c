"""OCPP 2.0.1 chapter K: SetChargingProfile (K01), ClearChargingProfile (K10), GetChargingProfiles and its report (K09),
GetCompositeSchedule (K08), limits of others (K12-K13), and what cars need and choose (K15-K17)."""

from typing import Any, cast

from csms.ocpp import schedules, times
from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.chargingprofiles import Profile
from stations.domain.commands import Outcome, Verdict
from stations.domain.events import (
    ChargingLimitCleared,
    ChargingLimitReported,
    ChargingProfilesReported,
    EvNeedsReported,
    EvScheduleAnswered,
    EvScheduleReported,
    NeedsAnswered,
    Reply,
)
from stations.domain.values import Note

#: What a car says of itself, as the wire has it and as the domain has it; of the message's own the unit is in the name.
NEEDS = {
    "energyAmount": "energy_wh",
    "evMinCurrent": "min_a",
    "evMaxCurrent": "max_a",
    "evMaxVoltage": "max_v",
    "evMaxPower": "max_w",
    "stateOfCharge": "soc_percent",
    "evEnergyCapacity": "capacity_wh",
    "fullSoC": "full_soc_percent",
    "bulkSoC": "bulk_soc_percent",
}


def said(body: dict[str, Any], number: int) -> Payload:
    """A profile as ChargingProfileType has it. `number`: its id if it has none yet."""
    profile = Profile.of(body)
    more = {
        "recurrencyKind": profile.recurrency,
        "validFrom": None if profile.valid_from is None else times.emit(profile.valid_from),
        "validTo": None if profile.valid_to is None else times.emit(profile.valid_to),
        "transactionId": profile.transaction,
    }
    told: Payload = {
        "id": number if profile.id is None else profile.id,
        "stackLevel": profile.stack_level,
        "chargingProfilePurpose": profile.purpose,
        "chargingProfileKind": profile.kind,
        "chargingSchedule": [{"id": one.id} | schedules.said(one) for one in profile.schedules],
    }
    return told | {name: value for name, value in more.items() if value is not None}


def meant(payload: Payload, notes: list[Note]) -> dict[str, Any]:
    """A plain profile, as `Profile.of` reads it."""
    found = {"purpose": payload["chargingProfilePurpose"]} | schedules.traits(payload, notes)
    found["schedules"] = [schedules.heard(one, notes) for one in payload["chargingSchedule"]]
    return found | ({"transaction": payload["transactionId"]} if "transactionId" in payload else {})


class SetChargingProfile(Outgoing):
    action = "SetChargingProfile"
    command = commands.SetChargingProfile

    @staticmethod
    def encode(command: commands.SetChargingProfile, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"evseId": command.evse, "chargingProfile": said(command.profile, number)}]

    @staticmethod
    def parse(payload: Payload) -> commands.SetChargingProfile:
        return commands.SetChargingProfile(payload["evseId"], meant(payload["chargingProfile"], []))

    @staticmethod
    def decode(command: commands.SetChargingProfile, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"evse": sent["evseId"], "profile": meant(sent["chargingProfile"], [])})


class ClearChargingProfile(Outgoing):
    action = "ClearChargingProfile"
    command = commands.ClearChargingProfile

    @staticmethod
    def encode(command: commands.ClearChargingProfile, number: int, limits: dict[str, int]) -> list[Payload]:
        if command.profile_id is not None:
            return [{"chargingProfileId": command.profile_id}]
        named = {
            "evseId": command.evse,
            "chargingProfilePurpose": command.purpose,
            "stackLevel": command.stack_level,
        }
        criteria = {name: value for name, value in named.items() if value is not None}
        return [{"chargingProfileCriteria": criteria} if criteria else {}]

    @staticmethod
    def parse(payload: Payload) -> commands.ClearChargingProfile:
        if "chargingProfileId" in payload:
            return commands.ClearChargingProfile(payload["chargingProfileId"])
        criteria = payload.get("chargingProfileCriteria") or {}
        return commands.ClearChargingProfile(
            None, criteria.get("evseId"), criteria.get("chargingProfilePurpose"), criteria.get("stackLevel")
        )

    @staticmethod
    def decode(command: commands.ClearChargingProfile, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"cleared": command.params()})


class GetChargingProfiles(Outgoing):
    action = "GetChargingProfiles"
    command = commands.GetChargingProfiles

    @staticmethod
    def encode(command: commands.GetChargingProfiles, number: int, limits: dict[str, int]) -> list[Payload]:
        named = {
            "chargingProfilePurpose": command.purpose,
            "stackLevel": command.stack_level,
            "chargingProfileId": command.profile_ids,
            "chargingLimitSource": command.sources,
        }
        criteria = {name: value for name, value in named.items() if value is not None}
        more = {} if command.evse is None else {"evseId": command.evse}
        return [{"requestId": number, "chargingProfile": criteria} | more]

    @staticmethod
    def parse(payload: Payload) -> commands.GetChargingProfiles:
        criteria = payload["chargingProfile"]
        return commands.GetChargingProfiles(
            payload.get("evseId"),
            criteria.get("chargingProfilePurpose"),
            criteria.get("stackLevel"),
            criteria.get("chargingLimitSource"),
            criteria.get("chargingProfileId"),
        )

    @staticmethod
    def decode(command: commands.GetChargingProfiles, sent: Payload, answer: Payload) -> Outcome:
        facts = {"request_id": sent["requestId"]}
        if answer["status"] == "NoProfiles":
            # Nothing follows: that is the whole report (K09).
            return Outcome(Verdict.ACCEPTED, "NoProfiles", facts=facts | {"none": True, "asked": command.params()})
        return outcome(answer, facts=facts)


class GetCompositeSchedule(Outgoing):
    action = "GetCompositeSchedule"
    command = commands.GetCompositeSchedule

    @staticmethod
    def encode(command: commands.GetCompositeSchedule, number: int, limits: dict[str, int]) -> list[Payload]:
        more = {} if command.unit is None else {"chargingRateUnit": command.unit}
        return [{"evseId": command.evse, "duration": command.duration_s} | more]

    @staticmethod
    def parse(payload: Payload) -> commands.GetCompositeSchedule:
        return commands.GetCompositeSchedule(payload["evseId"], payload["duration"], payload.get("chargingRateUnit"))

    @staticmethod
    def decode(command: commands.GetCompositeSchedule, sent: Payload, answer: Payload) -> Outcome:
        schedule = answer.get("schedule")
        if schedule is None or answer["status"] != "Accepted":
            return outcome(answer)
        return outcome(answer, facts=schedules.composite(sent["evseId"], schedule["scheduleStart"], schedule, sent["duration"]))


class ReportChargingProfiles(Incoming):
    action = "ReportChargingProfiles"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> ChargingProfilesReported:
        return ChargingProfilesReported(
            payload["requestId"],
            payload["chargingLimitSource"],
            payload["evseId"],
            tuple(meant(one, notes) for one in payload["chargingProfile"]),
            not payload.get("tbc", False),
        )

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


class NotifyChargingLimit(Incoming):
    action = "NotifyChargingLimit"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> ChargingLimitReported:
        limit = payload["chargingLimit"]
        return ChargingLimitReported(
            limit["chargingLimitSource"],
            payload.get("evseId", 0),
            limit.get("isGridCritical"),
            tuple(schedules.heard(one, notes) for one in payload.get("chargingSchedule", [])),
        )

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


class ClearedChargingLimit(Incoming):
    action = "ClearedChargingLimit"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> ChargingLimitCleared:
        return ChargingLimitCleared(payload["chargingLimitSource"], payload.get("evseId", 0))

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


class NotifyEVChargingNeeds(Incoming):
    action = "NotifyEVChargingNeeds"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> EvNeedsReported:
        needs = payload["chargingNeeds"]
        told = needs.get("dcChargingParameters") or needs.get("acChargingParameters") or {}
        departure = needs.get("departureTime")
        return EvNeedsReported(
            payload["evseId"],
            needs["requestedEnergyTransfer"],
            times.parse(departure, "departureTime", notes) if departure else None,
            payload.get("maxScheduleTuples"),
            {name: told[wire] for wire, name in NEEDS.items() if wire in told},
        )

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {"status": cast(NeedsAnswered, reply).status.value}


class NotifyEVChargingSchedule(Incoming):
    action = "NotifyEVChargingSchedule"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> EvScheduleReported:
        at = times.parse(payload["timeBase"], "timeBase", notes)
        return EvScheduleReported(payload["evseId"], at, schedules.heard(payload["chargingSchedule"], notes))

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {"status": "Accepted" if cast(EvScheduleAnswered, reply).understood else "Rejected"}
