"""Every case is tested once, or it is said why not."""

from collections import Counter

from tests.conformance.cases import listed, said


def test_every_case_has_one_test_or_a_reason_and_there_are_no_others() -> None:
    cases = {(one.version, one.case) for one in listed()}
    told = Counter((one.version, one.case) for one in said())
    assert {one for one, times in told.items() if times > 1} == set()
    assert told.keys() - cases == set()
    assert cases - told.keys() == set()


def test_a_reason_says_something() -> None:
    for one in said():
        assert one.how == "tested" or len(one.why) > 20, one
