"""The forms in which stations present their password."""

import pytest

from stations.credentials import hash_password, matches

TEXT = "correct-horse-7"
HEX = "0A1b2C3d4E5f60718293a4B5c6D7e8F901234567"


@pytest.fixture(autouse=True)
def _keys(settings: object) -> None:
    settings.STATION_SECRET_KEYS = [("new", "k2"), ("old", "k1")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("any_form", [True, False])
@pytest.mark.parametrize("password", [TEXT, HEX, "pässwörd-with:colon", "0123456789abcdef0123456789abcdef0"])
def test_the_text_itself_matches_in_every_version(password: str, any_form: bool) -> None:
    assert matches(hash_password(password), password.encode(), any_form=any_form)
    assert not matches(hash_password(password), password.encode() + b"x", any_form=any_form)


def test_16_may_present_a_hex_password_as_raw_bytes_or_in_any_case() -> None:
    stored = hash_password(HEX)
    for presented in (bytes.fromhex(HEX), HEX.lower().encode(), HEX.upper().encode()):
        assert matches(stored, presented, any_form=True)
    assert not matches(stored, bytes.fromhex(HEX)[:-1], any_form=True)


def test_16_may_present_a_text_password_as_the_hex_digits_of_its_bytes() -> None:
    password = "abcdefghJKMN23456789"
    assert matches(hash_password(password), password.encode().hex().upper().encode(), any_form=True)


def test_2x_presents_the_text_and_nothing_else() -> None:
    assert not matches(hash_password(HEX), bytes.fromhex(HEX), any_form=False)
    password = "abcdefghJKMN23456789"
    assert not matches(hash_password(password), password.encode().hex().encode(), any_form=False)
    assert not matches(hash_password(password), password.upper().encode(), any_form=False)


@pytest.mark.parametrize("any_form", [True, False])
@pytest.mark.parametrize("presented", [b"", b"\xff\xfe", b"\x00" * 16, b"\xff" * 20, b"wrong-wrong-wrong", b"zz" * 20])
def test_what_is_wrong_does_not_match(presented: bytes, any_form: bool) -> None:
    assert not matches(hash_password(TEXT), presented, any_form=any_form)
    assert not matches(hash_password(HEX), presented, any_form=any_form)


@pytest.mark.parametrize("stored", ["", "$", "new$", "new", "gone$00", "new$zz", "new$\u00e4"])
def test_a_broken_or_missing_hash_matches_nothing(stored: str) -> None:
    for presented in (b"", b"x", TEXT.encode()):
        assert not matches(stored, presented, any_form=True)


def test_a_listed_key_still_verifies_and_the_newest_one_hashes(settings: object) -> None:
    settings.STATION_SECRET_KEYS = [("old", "k1")]  # type: ignore[attr-defined]
    stored = hash_password(TEXT)
    assert stored.startswith("old$")
    settings.STATION_SECRET_KEYS = [("new", "k2"), ("old", "k1")]  # type: ignore[attr-defined]
    assert matches(stored, TEXT.encode(), any_form=False)
    assert hash_password(TEXT).startswith("new$")
    settings.STATION_SECRET_KEYS = [("new", "k2")]  # type: ignore[attr-defined]
    assert not matches(stored, TEXT.encode(), any_form=False)


def test_the_password_cannot_be_read_from_its_hash() -> None:
    assert TEXT not in hash_password(TEXT)
