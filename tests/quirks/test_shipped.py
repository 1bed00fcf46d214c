"""Each quirk that comes with the release does to its frame what it says."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django_scopes import scopes_disabled

from csms import shipped
from csms.ocpp import frames, mend, quirks, registry
from csms.ocpp.quirks import ANSWERED, HEARD, REGISTRY, SENT
from csms.ocpp.registry import PROTOCOLS
from stations.domain.quirks import About, Make
from stations.domain.values import Note, Registration
from stations.models import Connection, Quirk
from stations.services import quirks as services
from stations.state import StationState
from tests.network import Network

ROWS = shipped.rows()
#: With the site of the station here; the others leave times alone.
ZONE = "Europe/Copenhagen"


def station_with(row: dict[str, Any]) -> StationState:
    odd = orjson.dumps([[row.get("protocol", ""), row["name"], row["adjustments"]]]).decode()
    return StationState(0, 0, "", 0, Registration.ACCEPTED, True, False, 300, "", None, True, quirks=odd, time_zone=ZONE)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["code"])
def test_its_frame_becomes_what_it_says(row: dict[str, Any]) -> None:
    call = frames.parse(row["frame"])
    assert isinstance(call, frames.Call)
    station, notes, at = station_with(row), list[Note](), datetime(2026, 11, 21, tzinfo=UTC)
    directions = {REGISTRY[one["do"]].direction for one in row["adjustments"]}
    if SENT in directions:
        (becomes,), notes = quirks.sent(station.quirks, "ocpp1.6", call.action, [call.payload])
        mend.validate("ocpp1.6", call.action, becomes)
    elif ANSWERED in directions:
        becomes = quirks.answered(station, "ocpp1.6", call.action, {}, at, notes)
        mend.validate("ocpp1.6", f"{call.action}Response", becomes)
    else:
        assert directions == {HEARD}
        becomes = quirks.heard(station, "ocpp1.6", call.action, call.payload, at, notes)
        registry.incoming("ocpp1.6", call.action).decode(mend.mend("ocpp1.6", call.action, becomes, at)[0], [])
    assert becomes == row["becomes"]
    assert {note.code for note in notes} == {"quirk_applied"}
    assert notes[0].detail.startswith(row["name"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["code"])
def test_its_data_is_as_an_operators_would_have_to_be(row: dict[str, Any]) -> None:
    fields = {name: row[name] for name in services.FIELDS if name in row}
    assert services.checked(**fields).adjustments == row["adjustments"]
    assert row["source"].startswith("https://")
    assert row.get("protocol", "") in ("", *PROTOCOLS)
    # It must name a vendor: one that is about all stations would be no quirk.
    assert len(row["vendor"].strip("*")) >= 2


def test_each_has_a_code_of_its_own() -> None:
    assert len({row["code"] for row in ROWS}) == len(ROWS)


def test_every_adjustment_can_be_done_in_a_direction_there_is() -> None:
    for name, known in REGISTRY.items():
        assert known.direction in (HEARD, ANSWERED, SENT), name
        for protocol in PROTOCOLS if not known.protocol else (known.protocol,):
            assert set(known.actions) & (set(registry.INCOMING[protocol]) | set(registry.BY_ACTION[protocol]))


# With the database


def test_migrating_brings_them_once_and_a_new_release_renews_them(committed: None) -> None:
    def codes() -> dict[str, str]:
        return dict(Quirk.shipped.values_list("code", "name"))

    with scopes_disabled():
        assert codes().keys() == {row["code"] for row in ROWS}
        assert services.sync(rows=ROWS) == 0
        renewed = [{**ROWS[0], "name": "Renewed"}, *ROWS[2:], {**ROWS[1], "code": "another"}]
        try:
            assert services.sync(rows=renewed) == 3
            assert codes()[ROWS[0]["code"]] == "Renewed"
            assert ROWS[1]["code"] not in codes()
        finally:
            services.sync(rows=ROWS)
        assert codes() == {row["code"]: row["name"] for row in ROWS}
        call_command("migrate", verbosity=0)
        assert Quirk.shipped.count() == len(ROWS)


def test_a_renewed_one_makes_the_states_of_its_vendors_stations_old(network: Network) -> None:
    ours, others = network.station(vendor="Growatt New Energy"), network.station(vendor="Alfen")

    def versions() -> list[int]:
        with scopes_disabled():
            return [Connection.objects.get(station=one).state_version for one in (ours, others)]

    before = versions()
    row = next(one for one in ROWS if one["code"] == "growatt-local-time")
    try:
        services.sync(rows=[{**one, "active": False} if one is row else one for one in ROWS])
        assert versions() == [before[0] + 1, before[1]]
    finally:
        services.sync(rows=ROWS)


# Which stations they are about


@pytest.mark.parametrize(
    ("about", "make", "fits"),
    [
        (About("ABB*"), Make("ABB E-mobility", "Terra"), True),
        (About("abb*"), Make("ABB", ""), True),
        (About("ABB"), Make("ABB E-mobility", ""), False),
        (About("Metron*", "ME3*"), Make("Metron", "ME3 DYNAMIC OCPP"), True),
        (About("Metron*", "ME3*"), Make("Metron", "ME2"), False),
        (About("", "X1"), Make("Anybody", "x1"), True),
        (About("V", "", "1.9", "1.10"), Make("V", "M", "1.10"), True),
        (About("V", "", "1.9", "1.10"), Make("V", "M", "1.8.9"), False),
        (About("V", "", "1.9", "1.10"), Make("V", "M", "1.10.1"), False),
        (About("V", "", "1.9", "1.10"), Make("V", "M", "1.11"), False),
        (About("V", "", "2.0"), Make("V", "M", "10"), True),
        (About("V", "", "2.0"), Make("V", "M", "2.0-rc1"), False),
        (About("V", "", "", "2.0"), Make("V", "M", "2.0-rc1"), True),
        (About("V", "", "V5.2.8", "V5.2.8"), Make("V", "M", "V5.2.8-20230818"), False),
        (About("V", "", "", "2"), Make("V", "M", ""), False),
        (About("V", "", "", "2"), Make("V", "M", "9" * 100), False),
    ],
)
def test_a_quirk_is_about_a_make(about: About, make: Make, fits: bool) -> None:
    assert about.fits(make) is fits
