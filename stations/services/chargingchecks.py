"""What a station would not take of a charging profile, found before it is sent: its limits, and what stands in the way there."""

from dataclasses import replace

from stations import limits
from stations.domain import commands
from stations.domain.chargingprofiles import TX, TX_DEFAULT, Profile
from stations.domain.commands import BadCommand
from stations.domain.values import TransactionStatus
from stations.models import ChargingProfile, Command, EvChargingNeeds, Evse, Station, Transaction, Variable
from stations.services import idtokens


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
    pk = _place(station, evse, profile, starting=starting)
    if pk is not None:
        profile = profile.with_id(pk)
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


def _place(station: Station, evse: int, profile: Profile, *, starting: bool) -> int | None:
    """The id of the profile that this one replaces, if it has none of its own. Raises BadCommand if another stands in its way.

    Two of the same purpose and stack level that could both count are refused (OCPP 2.0.1 K01; 1.6 drops the older one).
    """
    held = ChargingProfile.objects.filter(station=station, source="CSO")
    alike = held.filter(purpose=profile.purpose, stack_level=profile.stack_level)
    rivals = [one for one in (alike.filter(evse_number__in=(0, evse)) if evse else alike) if one.wanted or one.reported]
    if profile.purpose == TX:
        rivals = [one for one in rivals if not starting and one.evse_number == evse]
        rivals = [one for one in rivals if one.ocpp_transaction_id in ("", profile.transaction)]
    own = next((one for one in rivals if one.evse_number == evse), None)
    replaced = profile.id if profile.id is not None else (own.profile_id if own is not None else None)
    for rival in rivals:
        near = rival.evse_number == evse or (profile.purpose == TX_DEFAULT and 0 in (rival.evse_number, evse))
        if rival.profile_id != replaced and near and profile.overlaps(_profile(rival)):
            raise BadCommand(
                "Profile %(id)s at EVSE %(evse)s is a %(purpose)s of stack level %(level)s, too. Clear it first, use another stack "
                "level, or replace it: leave out the id and name its EVSE.",
                id=rival.profile_id,
                evse=rival.evse_number,
                purpose=rival.purpose,
                level=rival.stack_level,
            )
    known = {pk for pk, *bodies in held.values_list("profile_id", "wanted", "reported") if any(bodies)}
    if (most := limits.full(of(station), known, replaced)) is not None:
        raise BadCommand("%(station)s holds %(most)s profiles at most: clear one first.", station=station.identity, most=most)
    return replaced


def _profile(row: ChargingProfile) -> Profile:
    return Profile.of(row.wanted or row.reported, strict=False)
