"""What a station would not take of a charging profile, found before it is sent: its limits, and what stands in the way there."""

from dataclasses import dataclass, replace
from typing import Any

from stations import limits, ports
from stations.domain import commands
from stations.domain.chargingprofiles import TX, TX_DEFAULT, Profile
from stations.domain.commands import BadCommand
from stations.domain.values import TransactionStatus
from stations.models import ChargingProfile, Command, EvChargingNeeds, Evse, Station, Transaction, Variable
from stations.services import commands as life
from stations.services import idtokens, registry


def of(station: Station) -> dict[str, str]:
    """What the station said of itself, by our names; the newest word counts."""
    named = {variable for _component, variable, _instance in limits.SAID_AS}
    found = Variable.objects.filter(station=station, variable__in=named, attribute__in=("Actual", "MaxSet"), known=True)
    said = {}
    for one in found.filter(value__isnull=False).order_by("reported_at"):
        taken = limits.meant(one.component, one.variable, one.variable_instance, one.attribute, one.value or "", one.highest)
        if taken is not None:
            said[taken[0]] = taken[1]
    return said


def units_of(station: Station) -> list[str]:
    """The units in which it takes limits; empty: it never said."""
    return limits.units_of(of(station))


def unchecked(row: Command, station: Station, command: commands.Command) -> None:
    """Nothing is looked at before it is sent."""


def composite_made(row: Command, station: Station, command: commands.Command) -> None:
    assert isinstance(command, commands.GetCompositeSchedule)
    if "raw" not in row.facts:
        _check_evse(station, command.evse)


def made(row: Command, station: Station, command: commands.Command) -> None:
    """With a `set_charging_profile` comes what its sending needs: the id and the session. Raises BadCommand if it makes no sense.

    What was written as the version has it goes out as it is: the station decides.
    """
    assert isinstance(command, commands.SetChargingProfile)
    if "raw" in row.facts:
        return
    registry.bump(station.pk)  # no two at once, which would not see each other
    profile = Profile.of(command.profile)
    _check_evse(station, command.evse)
    if profile.purpose == TX:
        profile = replace(profile, transaction=_session(station, command.evse, profile.transaction))
    _fix(row, station, command.evse, profile)
    row.save(update_fields=["facts"])


def start_made(row: Command, station: Station, command: commands.Command) -> None:
    """The same of the profile that goes with a start, and the group of its id token, for which a plug may be reserved."""
    assert isinstance(command, commands.RemoteStart)
    if "raw" in row.facts:
        return
    if command.charging_profile is not None:
        _fix(row, station, command.evse or 0, Profile.of(command.charging_profile), starting=True)
    idtokens.say_group(row, command, idtokens.named(station, command))
    row.save(update_fields=["facts"])


def _fix(row: Command, station: Station, evse: int, profile: Profile, *, starting: bool = False) -> None:
    _check_limits(station, evse, profile)
    profile = profile.with_id(_place(row, station, evse, profile, starting=starting))
    row.facts = row.facts | {"fixed": {"profile": profile.plain()}}


def _check_evse(station: Station, evse: int) -> None:
    numbers = list(Evse.objects.filter(station=station).order_by("number").values_list("number", flat=True))
    if evse and numbers and evse not in numbers:
        raise BadCommand(
            "%(station)s has no EVSE %(evse)s; it has %(known)s.",
            station=station.identity,
            evse=evse,
            known=", ".join(map(str, numbers[:20])),
        )


def _session(station: Station, evse: int, named: str | None) -> str:
    """The transaction that a TxProfile is for (OCPP 2.0.1 K01, 1.6 3.13.1: it needs one that runs)."""
    running = Transaction.objects.filter(station=station, status=TransactionStatus.ACTIVE, evse__number=evse)
    if named is not None:
        running = running.filter(ocpp_transaction_id=named)
    found = running.order_by("-started_at").values_list("ocpp_transaction_id", flat=True).first()
    if found is None and named is not None:
        raise BadCommand("No transaction %(id)s runs at EVSE %(evse)s; a TxProfile needs one that does.", id=named, evse=evse)
    if found is None:
        raise BadCommand(
            "Nobody charges at EVSE %(evse)s. A TxProfile is for a session that runs; use a TxDefaultProfile for those to come.",
            evse=evse,
        )
    return found


def _check_limits(station: Station, evse: int, profile: Profile) -> None:
    """What the station says that it takes (OCPP 2.0.1 K01, 1.6 3.13.5)."""
    said, named = of(station), {"station": station.identity}
    if said.get("enabled", "").lower() == "false":
        raise BadCommand("%(station)s has smart charging switched off: set SmartChargingCtrlr Enabled to true first.", **named)
    most = limits.whole(said.get("stack"))
    if most is not None and profile.stack_level > most:
        raise BadCommand(
            "%(station)s takes stack levels up to %(most)s, not %(level)s.", most=most, level=profile.stack_level, **named
        )
    periods = limits.whole(said.get("periods"))
    longest = max(len(one.periods) for one in profile.schedules)
    if periods is not None and longest > periods:
        raise BadCommand(
            "%(station)s takes %(most)s periods in a schedule, not %(n)s: merge some, or send the rest later.",
            most=periods,
            n=longest,
            **named,
        )
    units = limits.units_of(said)
    if units and (wrong := {one.unit for one in profile.schedules} - set(units)):
        raise BadCommand(
            "%(station)s takes limits in %(units)s, not in %(unit)s.", units=" or ".join(units), unit=wrong.pop(), **named
        )
    phased = any(period.phase_to_use for one in profile.schedules for period in one.periods)
    if phased and said.get("switching", "").lower() != "true":
        # OCPP 2.0.1 ChargingSchedulePeriodType.
        raise BadCommand("%(station)s does not say that it can choose a phase: leave out phase_to_use.", **named)
    if len(profile.schedules) > 1:
        needs = EvChargingNeeds.objects.filter(station=station, evse_number=evse).first()
        taken = None if needs is None else needs.schedules_taken
        if taken is None or len(profile.schedules) > taken:
            raise BadCommand("Send one schedule: only a car that speaks ISO 15118 chooses, and this one takes %(n)s.", n=taken or 1)


@dataclass(frozen=True, slots=True)
class Standing:
    """A profile of ours at a station, or on its way there."""

    id: int
    evse: int
    purpose: str
    stack_level: int
    transaction: str
    body: Any

    @property
    def profile(self) -> Profile:
        return Profile.of(self.body, strict=False)


def _standing(station: Station, row: Command) -> list[Standing]:
    """What the station holds once all is sent that it was asked besides this command: of an id the newest."""
    found = {}
    for held in ChargingProfile.objects.filter(station=station, source="CSO"):
        if body := held.wanted or held.reported:
            place = held.evse_number, held.purpose, held.stack_level, held.ocpp_transaction_id
            found[held.profile_id] = Standing(held.profile_id, *place, body)
    for one in limits.coming(station.pk):
        if one.command != row.pk:
            body = one.body
            found[one.id] = Standing(one.id, one.evse, body["purpose"], body["stack_level"], body.get("transaction") or "", body)
    return list(found.values())


def _place(row: Command, station: Station, evse: int, profile: Profile, *, starting: bool) -> int:
    """The id of the profile: its own, else that of the one it replaces, else that of its command. Raises BadCommand if another
    stands in its way.

    Two of the same purpose and stack level that could both count are refused (OCPP 2.0.1 K01; 1.6 drops the older one).
    """
    standing = _standing(station, row)
    alike = [one for one in standing if (one.purpose, one.stack_level) == (profile.purpose, profile.stack_level)]
    rivals = [one for one in alike if not evse or one.evse in (0, evse)]
    if profile.purpose == TX:
        rivals = [one for one in rivals if not starting and one.evse == evse]
        rivals = [one for one in rivals if one.transaction in ("", profile.transaction)]
    in_its_time = [one for one in rivals if profile.overlaps(one.profile)]
    number = profile.id
    if number is None:
        here = [one for one in (in_its_time or (rivals if _is_alone(station) else [])) if one.evse == evse]
        number = here[0].id if here else life.number_of(row.pk)
    for rival in in_its_time:
        near = rival.evse == evse or (profile.purpose == TX_DEFAULT and 0 in (rival.evse, evse))
        if rival.id != number and near:
            named = {"id": rival.id, "evse": rival.evse, "purpose": rival.purpose, "level": rival.stack_level}
            if profile.id is None and rival.evse == evse:
                raise BadCommand(
                    "Profile %(id)s at EVSE %(evse)s is a %(purpose)s of stack level %(level)s, too. Clear it first, or use "
                    "another stack level.",
                    **named,
                )
            raise BadCommand(
                "Profile %(id)s at EVSE %(evse)s is a %(purpose)s of stack level %(level)s, too. Clear it first, use another stack "
                "level, or replace it: leave out the id and name its EVSE.",
                **named,
            )
    if (most := limits.full(of(station), {one.id for one in standing}, number)) is not None:
        raise BadCommand("%(station)s holds %(most)s profiles at most: clear one first.", station=station.identity, most=most)
    return number


def _is_alone(station: Station) -> bool:
    """Whether a profile has its place for itself, whenever it is valid: so it is with those that cannot tell what they hold (1.6
    5.16.1); others keep beside it what is valid at another time (OCPP 2.0.1 K01)."""
    sayable = ports.sayable(station.connection.protocol if hasattr(station, "connection") else "")
    return commands.SetChargingProfile.kind in sayable and commands.GetChargingProfiles.kind not in sayable
