"""How a simulated OCPP 2.0.1 station answers about charging profiles, and reports them."""

from typing import Any, cast

from ocpp.charge_point import snake_to_camel_case
from ocpp.v201 import call, call_result
from ocpp.v201.enums import Action

from csms.ocpp.schedules import said
from csms.ocpp.v201 import smartcharging
from csms.simulator.answering import AnsweringLink, answers
from csms.simulator.charging import Installed
from csms.simulator.clock import wire_time
from stations.domain.chargingprofiles import Period, Schedule

#: Profiles in one page of a report.
PAGE = 2


class ChargingLink201(AnsweringLink):
    @answers(Action.set_charging_profile)
    def on_set_charging_profile(self, evse_id: int, charging_profile: dict[str, Any], **_: Any) -> Any:
        refused = self.station.profiles.set(evse_id, smartcharging.meant(snake_to_camel_case(charging_profile), []))
        self.then(self.station.profiles.obey())
        info = {"reason_code": refused} if refused else None
        return call_result.SetChargingProfile("Rejected" if refused else "Accepted", cast(Any, info))

    @answers(Action.clear_charging_profile)
    def on_clear_charging_profile(
        self, charging_profile_id: int | None = None, charging_profile_criteria: dict[str, Any] | None = None, **_: Any
    ) -> Any:
        named = charging_profile_criteria or {}
        cleared = self.station.profiles.clear(
            pk=charging_profile_id,
            evse=named.get("evse_id"),
            purpose=named.get("charging_profile_purpose"),
            stack_level=named.get("stack_level"),
        )
        self.then(self.station.profiles.obey())
        return call_result.ClearChargingProfile("Accepted" if cleared else "Unknown")

    @answers(Action.get_charging_profiles)
    def on_get_charging_profiles(
        self, request_id: int, charging_profile: dict[str, Any], evse_id: int | None = None, **_: Any
    ) -> Any:
        purpose, level = charging_profile.get("charging_profile_purpose"), charging_profile.get("stack_level")
        found = self.station.profiles.named(evse=evse_id, purpose=purpose, stack_level=level)
        if ids := charging_profile.get("charging_profile_id"):
            found = [one for one in found if one.profile.id in ids]
        if "CSO" not in (charging_profile.get("charging_limit_source") or ["CSO"]):
            found = []
        if not found:
            return call_result.GetChargingProfiles("NoProfiles")
        self.then(self._report_profiles(request_id, found))
        return call_result.GetChargingProfiles("Accepted")

    async def _report_profiles(self, request_id: int, found: list[Installed]) -> None:
        pages = [
            (evse, of[at : at + PAGE])
            for evse in sorted({one.evse for one in found})
            if (of := [one for one in found if one.evse == evse])
            for at in range(0, len(of), PAGE)
        ]
        for number, (evse, page) in enumerate(pages, start=1):
            told = [self._told(one) for one in page]
            await self.station.call(call.ReportChargingProfiles(request_id, "CSO", cast(Any, told), evse, number < len(pages)))

    def _told(self, one: Installed) -> dict[str, Any]:
        transaction = str(one.transaction.id) if one.transaction else None
        profile = one.profile.with_id(one.profile.id or 0, transaction)
        return smartcharging.said(profile.plain(), 0)

    @answers(Action.get_composite_schedule)
    def on_get_composite_schedule(self, duration: int, evse_id: int, charging_rate_unit: str | None = None, **_: Any) -> Any:
        station, unit = self.station, charging_rate_unit or "A"
        if evse_id and station.find(evse_id) is None:
            return call_result.GetCompositeSchedule("Rejected", cast(Any, {"reason_code": "UnknownEvse"}))
        found = station.profiles.composite(evse_id, duration, unit)
        periods = tuple(Period(one.start_s, one.limit, one.phases) for one in found if one.limit is not None)
        schedule = said(Schedule(unit, periods, duration_s=duration))
        schedule |= {"evseId": evse_id, "scheduleStart": wire_time(station.clock.now())}
        return call_result.GetCompositeSchedule("Accepted", schedule=cast(Any, schedule))
