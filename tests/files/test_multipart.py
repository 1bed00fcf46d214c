"""The file in a form, however it is cut into pieces."""

import pytest

from csms.files.multipart import BadForm, FirstFile

KIND = 'multipart/form-data; boundary="XyZ"'
BODY = (
    b'preamble\r\n--XyZ\r\nContent-Disposition: form-data; name="station"\r\n\r\nA-1\r\n'
    b'--XyZ\r\nContent-Disposition: form-data; name="file"; filename="a.log"\r\nContent-Type: text/plain\r\n\r\n'
    b'first\r\n--Xy not the end\r\n--XyZ\r\nContent-Disposition: form-data; name="x"; filename="b.log"\r\n\r\nsecond\r\n--XyZ--\r\n'
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 16, 64, 10_000])
def test_the_first_file_is_taken_whatever_the_pieces(size: int) -> None:
    form = FirstFile(KIND)
    found = b"".join(form.feed(BODY[at : at + size]) for at in range(0, len(BODY), size))
    assert found == b"first\r\n--Xy not the end"
    assert (form.whole, form.filename, form.content_type) == (True, "a.log", "text/plain")


@pytest.mark.parametrize("size", [1, 10_000])
def test_an_empty_part_before_it_is_gone_over(size: int) -> None:
    body = (
        b'--XyZ\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
        b'--XyZ\r\nContent-Disposition: form-data; name="f"; filename="e.log"\r\n\r\nlog\r\n--XyZ--'
    )
    form = FirstFile(KIND)
    assert b"".join(form.feed(body[at : at + size]) for at in range(0, len(body), size)) == b"log"
    assert form.whole


def test_a_file_that_is_cut_off_is_not_whole() -> None:
    form = FirstFile(KIND)
    form.feed(BODY[:-100])
    form = FirstFile(KIND)
    form.feed(BODY[: BODY.index(b"first") + 5])
    assert not form.whole


def test_memory_holds_a_piece_and_not_the_file() -> None:
    form = FirstFile(KIND)
    form.feed(BODY[: BODY.index(b"first")])
    for _ in range(100):
        form.feed(b"x" * 65_536)
        assert len(form.waiting) < 10


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", f"multipart/form-data; boundary={'x' * 300}"]
)
def test_without_a_boundary_it_is_no_form(kind: str) -> None:
    with pytest.raises(BadForm):
        FirstFile(kind)


def test_a_form_without_a_file_and_one_with_an_endless_head_are_refused() -> None:
    with pytest.raises(BadForm, match="no file"):
        FirstFile(KIND).feed(b'--XyZ\r\nContent-Disposition: form-data; name="a"\r\n\r\nno\r\n--XyZ--')
    with pytest.raises(BadForm, match="head"):
        FirstFile(KIND).feed(b"--XyZ\r\nX: " + b"x" * 20_000)
