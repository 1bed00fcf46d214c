"""Where an id token may charge: places and types of plugs, of its group's accord and its own."""

from typing import Any

import pytest

from stations.domain.places import Answer, Held, Places, answer, everywhere
from stations.domain.values import AuthorizationStatus

SITE, STATION = 7, 70
#: EVSE 1 has a CCS and a CHAdeMO cable, EVSE 2 a Type 2 socket, of EVSE 3 nobody knows.
PLUGS = {1: {1: "cCCS2", 2: "cG105"}, 2: {1: "sType2"}, 3: {1: ""}}
ELSEWHERE = AuthorizationStatus.NOT_AT_THIS_LOCATION
WRONG_TYPE = AuthorizationStatus.NOT_ALLOWED_TYPE


def places(sites: Any = (), stations: Any = (), evses: Any = ()) -> Places:
    return Places(frozenset(sites), frozenset(stations), frozenset(evses))


def at(evses: Any) -> Held:
    return Held(places(evses=[(STATION, number) for number in evses]))


def plugs(*types: str) -> Held:
    return Held.read(None, types) or Held()


@pytest.mark.parametrize(
    ("held", "evse", "connector", "expected"),
    [
        ([], None, None, Answer()),
        ([Held(places(sites=[SITE]))], None, None, Answer()),
        ([Held(places(stations=[71]))], None, None, Answer(ELSEWHERE)),
        ([at([2, 3])], None, None, Answer(evses=(2, 3))),
        ([at([2, 3])], 1, 1, Answer(ELSEWHERE)),
        ([plugs("sType2")], None, None, Answer(evses=(2,))),
        ([plugs("STYPE2")], 2, 1, Answer(evses=(2,))),
        ([plugs("sType2")], 1, 1, Answer(WRONG_TYPE)),
        ([plugs("cG105")], 1, 2, Answer(evses=(1,))),
        ([plugs("cG105")], 1, 1, Answer(WRONG_TYPE)),
        # Without a connector any of the EVSE will do.
        ([plugs("cG105")], 1, None, Answer(evses=(1,))),
        ([plugs("cTesla")], None, None, Answer(WRONG_TYPE, unsaid=True)),
        ([plugs("cTesla")], 3, 1, Answer(WRONG_TYPE, unsaid=True)),
        ([plugs("cTesla")], 9, 1, Answer(WRONG_TYPE, unsaid=True)),
        # The group's and its own: both count.
        ([at([1, 2]), plugs("sType2", "cCCS2")], None, None, Answer(evses=(1, 2))),
        ([at([1]), plugs("sType2")], None, None, Answer(WRONG_TYPE)),
        ([at([1]), at([2])], None, None, Answer(ELSEWHERE)),
        ([plugs("sType2"), plugs("cCCS2")], None, None, Answer(WRONG_TYPE, unsaid=True)),
    ],
)
def test_all_that_a_token_is_held_to_counts(held: list[Held], evse: int | None, connector: int | None, expected: Answer) -> None:
    assert answer(held, SITE, STATION, PLUGS, evse, connector) == expected


def test_no_evse_is_named_where_all_are_right() -> None:
    assert answer([plugs("sType2")], None, STATION, {1: {1: "sType2"}, 2: {1: "sType2"}}, None, None) == Answer()


@pytest.mark.parametrize(
    ("held", "whole"),
    [
        (Held(places(stations=[STATION])), True),
        (at([1, 2, 3]), False),
        (plugs("sType2", "cCCS2", "cG105"), False),
        (Held(), True),
    ],
)
def test_a_token_charges_at_all_of_a_station_or_not(held: Held, whole: bool) -> None:
    assert everywhere(held, SITE, STATION, PLUGS) is whole


def test_a_station_of_unknown_plugs_is_not_all_of_any_type() -> None:
    assert not everywhere(plugs("sType2"), SITE, STATION, {})
    assert everywhere(plugs("sType2"), SITE, STATION, {1: {1: "sType2"}})
