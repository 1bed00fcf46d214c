"""Every case is tested once, or it is said why not."""

from collections import Counter

from tests.conformance.cases import listed, said

#: Not written yet, by the beginnings of their ids.
MISSING: dict[str, tuple[str, ...]] = {
    "1.6": ("TC_042", "TC_043", "TC_046", "TC_047", "TC_048", "TC_049", "TC_05", "TC_066", "TC_067", "TC_07", "TC_080", "TC_081"),
    "2.0.1": ("TC_A_1", *(f"TC_B_0{number}" for number in "6789"), "TC_B_1", "TC_B_4", *(f"TC_{one}_" for one in "DHIKLMNO")),
}


def test_every_case_has_one_test_or_a_reason_and_there_are_no_others() -> None:
    cases = {(one.version, one.case) for one in listed()}
    told = Counter((one.version, one.case) for one in said())
    assert {one for one, times in told.items() if times > 1} == set()
    assert told.keys() - cases == set()
    assert {(version, name) for version, name in cases - told.keys() if not name.startswith(MISSING[version])} == set()


def test_a_reason_says_something() -> None:
    for one in said():
        assert one.how == "tested" or len(one.why) > 20, one
