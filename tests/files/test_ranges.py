"""Which part of a file is asked for."""

import pytest

from csms.files import ranges

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=90-", (90, 10)),
        ("bytes=90-200", (90, 10)),
        ("bytes=-10", (90, 10)),
        ("bytes=-200", (0, 100)),
        ("Bytes = 5 - 5", (5, 1)),
        ("bytes=99-99", (99, 1)),
        # Several at once, another unit, and what is none: the whole.
        ("bytes=0-1,5-6", None),
        ("lines=0-9", None),
        ("bytes=-", None),
        ("bytes=9-5", None),
        ("bytes=x-9", None),
        ("", None),
    ],
)
def test_a_range_is_read_as_the_rules_have_it(said: str, part: tuple[int, int] | None) -> None:
    assert ranges.asked({"range": said}, 100, ETAG) == part


@pytest.mark.parametrize("said", ["bytes=100-", "bytes=500-600", "bytes=-0"])
def test_a_range_behind_the_end_cannot_be_had(said: str) -> None:
    with pytest.raises(ranges.Unsatisfiable):
        ranges.asked({"range": said}, 100, ETAG)


def test_a_part_of_another_file_is_the_whole_of_this_one() -> None:
    assert ranges.asked({"range": "bytes=5-", "if-range": ETAG}, 100, ETAG) == (5, 95)
    for other in ('"xyz"', 'W/"abc"', "Sat, 21 Nov 2026 10:00:00 GMT"):
        assert ranges.asked({"range": "bytes=5-", "if-range": other}, 100, ETAG) is None
