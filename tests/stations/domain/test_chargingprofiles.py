"""A charging profile is checked before anybody is sent it."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stations.domain.chargingprofiles import Profile, same
from stations.domain.commands import BadCommand, ClearChargingProfile, RemoteStart, SetChargingProfile

START = "2026-11-21T10:00:00Z"


def schedule(**fields: Any) -> dict[str, Any]:
    return {"unit": "A", "periods": [{"start_s": 0, "limit": 16}], "start": START} | fields


def profile(**fields: Any) -> dict[str, Any]:
    return {"purpose": "TxDefaultProfile", "kind": "Absolute", "stack_level": 0, "schedules": [schedule()]} | fields


TWO = [{"start_s": 0, "limit": 1}, {"start_s": 60, "limit": 2}]
RELATIVE = {"kind": "Relative", "schedules": [{"unit": "A", "periods": [{"start_s": 0, "limit": 16}]}]}


@pytest.mark.parametrize(
    ("evse", "body", "why"),
    [
        (1, profile(purpose="ChargingStationExternalConstraints"), "come from others than us"),
        (1, profile(purpose="ChargingStationMaxProfile"), "set at EVSE 0"),
        (0, profile(purpose="ChargingStationMaxProfile", **RELATIVE), "cannot be Relative"),
        (0, profile(purpose="TxProfile"), "name its EVSE"),
        (1, profile(transaction="7"), "Only a TxProfile has a transaction"),
        (1, profile(kind="Recurring"), "needs its recurrency"),
        (1, profile(recurrency="Daily"), "Only a Recurring profile"),
        (1, profile(kind="Relative"), "leave out its start"),
        (1, profile(schedules=RELATIVE["schedules"]), "needs a start"),
        (1, profile(schedules=[schedule(periods=[{"start_s": 60, "limit": 1}])]), "must begin at 0"),
        (1, profile(schedules=[schedule(periods=[{"start_s": 0, "limit": 1}, {"start_s": 0, "limit": 2}])]), "in order"),
        (1, profile(schedules=[schedule(periods=TWO, duration_s=60)]), "ends after"),
        (1, profile(schedules=[schedule(periods=[{"start_s": 0, "limit": 1.25}])]), "one decimal"),
        (1, profile(schedules=[schedule(periods=[{"start_s": 0, "limit": -1}])]), "from 0 to"),
        (1, profile(schedules=[schedule(periods=[{"start_s": 0, "limit": float("nan")}])]), "from 0 to"),
        (1, profile(schedules=[schedule(periods=[{"start_s": 0, "limit": 6, "phases": 3, "phase_to_use": 1}])]), "phases 1 only"),
        (1, profile(schedules=[schedule(unit="kW")]), "one of A, W"),
        (1, profile(schedules=[schedule(start="2026-11-21T10:00:00")]), "with its zone"),
        (1, profile(schedules=[schedule(), schedule(id=2)]), "several schedules"),
        (1, profile(schedules=[]), "1 to 3 schedules"),
        (1, profile(valid_from=START, valid_to=START), "after valid_from"),
        (1, profile(id=0), "from 1 to"),
        (1, profile(colour="red"), "has no colour"),
        (1, [], "must be an object"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_remedy(evse: int, body: Any, why: str) -> None:
    with pytest.raises(BadCommand, match=why):
        SetChargingProfile.of({"evse": evse, "profile": body})


def test_a_start_takes_a_profile_of_a_session_that_has_no_id_yet() -> None:
    wanted = profile(purpose="TxProfile")
    assert RemoteStart.of({"id_token": "CARD", "charging_profile": wanted}).charging_profile == wanted
    for wrong in (profile(), profile(purpose="TxProfile", transaction="7")):
        with pytest.raises(BadCommand, match="has yet to begin"):
            RemoteStart.of({"id_token": "CARD", "charging_profile": wrong})


def test_one_is_cleared_by_its_id_or_by_what_it_is() -> None:
    with pytest.raises(BadCommand, match="names one profile"):
        ClearChargingProfile.of({"profile_id": 1, "evse": 1})
    with pytest.raises(BadCommand, match="purpose"):
        ClearChargingProfile.of({"purpose": "ChargingStationExternalConstraints"})


def test_a_profile_is_the_same_however_it_is_written() -> None:
    other = profile(schedules=[schedule(periods=[{"start_s": 0, "limit": 16.0, "phases": 3}], start="2026-11-21T11:00:00+01:00")])
    assert same(profile(), other)
    assert not same(profile(), profile(stack_level=1))
    assert not same(profile(), None)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_whatever_comes_is_read_or_refused(body: Any) -> None:
    for strict in (True, False):
        with suppress(BadCommand):
            assert Profile.of(body, strict=strict)


@given(
    st.integers(0, 9),
    st.lists(st.decimals(0, 1000, places=1).map(float), min_size=1, max_size=5),
    st.sampled_from(["A", "W"]),
)
def test_what_was_read_is_written_as_it_was(level: int, limits: list[float], unit: str) -> None:
    periods = [{"start_s": 60 * number, "limit": limit} for number, limit in enumerate(limits)]
    body = profile(stack_level=level, schedules=[schedule(unit=unit, periods=periods)], id=5)
    assert Profile.of(body).plain() == body
