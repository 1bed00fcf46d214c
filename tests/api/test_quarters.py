"""Quarters of an hour and days: what they say, as JSON and as a file."""

import csv

from tests.api.conftest import AT, Network, Person, day, minutes, quarter


def test_quarters_and_days_carry_the_station_its_evse_and_what_the_samples_said(ada: Person, amber: Network) -> None:
    (row,) = ada.client.rows("meter-quarters/", station="AMBER-01")
    assert (row["station"], row["evse"], row["start"]) == ("AMBER-01", 1, "2026-11-20T12:00:00.123456Z")
    assert (row["samples"], row["power_mean_w"], row["energy_wh"], row["soc_last_percent"]) == (15, 10980.5, 2700, None)
    (row,) = ada.client.rows("meter-days/", station="AMBER-01")
    assert (row["day"], row["energy_first_wh"], row["energy_last_wh"]) == ("2026-11-20", 1000, 3700)


def test_they_are_narrowed_by_evse_and_time(ada: Person, amber: Network) -> None:
    quarter(amber.station, AT + minutes(15), evse_number=2)
    day(amber.station, AT.date().replace(day=21), evse_number=2)
    assert [row["evse"] for row in ada.client.rows("meter-quarters/")] == [2, 1]
    assert [row["evse"] for row in ada.client.rows("meter-quarters/", evse=1)] == [1]
    assert [row["evse"] for row in ada.client.rows("meter-quarters/", since="2026-11-20T12:10:00Z")] == [2]
    assert [row["day"] for row in ada.client.rows("meter-days/", until="2026-11-21")] == ["2026-11-20"]
    assert [row["day"] for row in ada.client.rows("meter-days/", since="2026-11-21")] == ["2026-11-21"]


def test_pages_of_days_follow_each_other(ada: Person, amber: Network) -> None:
    for number in (18, 19):
        day(amber.station, AT.date().replace(day=number))
    seen, url = [], "/api/v1/meter-days/?page_size=1"
    while url:
        page = ada.client.get(url).json()
        seen += [row["day"] for row in page["results"]]
        url = page["next"]
    assert seen == ["2026-11-20", "2026-11-19", "2026-11-18"]


def test_as_a_file_with_the_next_page_in_a_header(ada: Person, amber: Network) -> None:
    quarter(amber.station, AT + minutes(15), power_mean_w=None)
    answer = ada.client.get("/api/v1/meter-quarters/?format=csv&page_size=1")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(answer.content.decode().splitlines())
    assert (row["station"], row["power_mean_w"], row["power_max_w"]) == ("AMBER-01", "", "11000")
    following = answer["Link"].removeprefix("<").removesuffix('>; rel="next"')
    last = ada.client.get(following)
    (row,) = csv.DictReader(last.content.decode().splitlines())
    assert row["power_mean_w"] == "10980.5"
    assert "Link" not in last


def test_an_error_is_a_problem_also_for_who_wants_a_file(ada: Person) -> None:
    answer = ada.client.get("/api/v1/meter-days/?format=csv&since=yesterday")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert "since" in answer.json()["errors"]


def test_nobody_sees_those_of_another_operator(cleo: Person, amber: Network) -> None:
    assert cleo.client.rows("meter-quarters/") == cleo.client.rows("meter-days/") == []
    assert cleo.client.rows("meter-quarters/", station="AMBER-01") == []
