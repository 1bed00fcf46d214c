"""How a simulated OCPP 1.6 station answers about charging profiles."""

from typing import Any

from ocpp.charge_point import snake_to_camel_case
from ocpp.v16 import call_result
from ocpp.v16.enums import Action

from csms.ocpp.schedules import said
from csms.ocpp.v16.smartcharging import MEANT, meant
from csms.simulator.answering import AnsweringLink, answers
from csms.simulator.clock import wire_time
from stations.domain.chargingprofiles import Period, Schedule


class ChargingLink16(AnsweringLink):
    @answers(Action.set_charging_profile)
    def on_set_charging_profile(self, connector_id: int, cs_charging_profiles: dict[str, Any], **_: Any) -> Any:
        refused = self.station.profiles.set(connector_id, meant(snake_to_camel_case(cs_charging_profiles)))
        self.then(self.station.profiles.obey())
        return call_result.SetChargingProfile("Rejected" if refused else "Accepted")  # type: ignore[arg-type]  # texts will do

    @answers(Action.clear_charging_profile)
    def on_clear_charging_profile(
        self,
        id: int | None = None,
        connector_id: int | None = None,
        charging_profile_purpose: str | None = None,
        stack_level: int | None = None,
        **_: Any,
    ) -> Any:
        purpose = MEANT.get(charging_profile_purpose or "", charging_profile_purpose)
        cleared = self.station.profiles.clear(pk=id, evse=connector_id, purpose=purpose, stack_level=stack_level)
        self.then(self.station.profiles.obey())
        return call_result.ClearChargingProfile("Accepted" if cleared else "Unknown")  # type: ignore[arg-type]  # texts will do

    @answers(Action.get_composite_schedule)
    def on_get_composite_schedule(self, connector_id: int, duration: int, charging_rate_unit: str | None = None, **_: Any) -> Any:
        station, unit = self.station, charging_rate_unit or "A"
        if connector_id and station.find(connector_id) is None:
            return call_result.GetCompositeSchedule("Rejected")  # type: ignore[arg-type]  # texts will do
        found = station.profiles.composite(connector_id, duration, unit)
        periods = tuple(Period(one.start_s, one.limit, one.phases) for one in found if one.limit is not None)
        schedule = said(Schedule(unit, periods, duration_s=duration))
        start = wire_time(station.clock.now())
        return call_result.GetCompositeSchedule("Accepted", connector_id, start, schedule)  # type: ignore[arg-type]  # dicts will do
