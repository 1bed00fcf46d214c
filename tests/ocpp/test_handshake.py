"""What a knocking station says of itself."""

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csms.ocpp.handshake import credentials_of, identity_of, is_trusted, knock_of, protocol_of
from tests.trying import often


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("/ocpp/CP-1", "CP-1"),
        ("/ocpp/CP-1/", "CP-1"),
        ("/ocpp//CP-1", "CP-1"),
        ("//ocpp//CP-1//", "CP-1"),
        ("/ocpp/CP%201", "CP 1"),
        ("/ocpp/CP%2F1", "CP/1"),
        # Decoded once: what looks encoded afterwards is part of the name.
        ("/ocpp/CP%2541", "CP%41"),
        ("/ocpp/Z%C3%BCrich", "Zürich"),
        # UTF-8 that the client did not encode.
        ("/ocpp/Zürich".encode().decode("latin-1"), "Zürich"),
        ("/ocpp/CP%FF", "CP\ufffd"),
        ("/ocpp/CP%", "CP%"),
        ("/ocpp/CP+1", "CP+1"),
        ("/ocpp/CP-1?token=x", "CP-1"),
        ("/ocpp/cp-1", "cp-1"),
        ("/behind/a/proxy/ocpp/CP-1", "CP-1"),
        ("/ocpp/", ""),
        ("/ocpp", ""),
        ("/ocpp///", ""),
    ],
)
def test_the_identity_is_the_rest_of_the_path_decoded_once(path: str, identity: str) -> None:
    assert identity_of(path if path != "/ocpp" else "/ocpp/") == identity


@pytest.mark.parametrize(
    ("offered", "spoken"),
    [
        (["ocpp1.6"], "ocpp1.6"),
        (["ocpp1.2", "ocpp1.5", "ocpp1.6"], "ocpp1.6"),
        (["ocpp2.9", "ocpp1.6"], "ocpp1.6"),
        (["ocpp1.5"], ""),
        (["OCPP1.6"], ""),
        ([], ""),
    ],
)
def test_the_first_protocol_of_the_station_that_is_spoken_here_is_taken(offered: list[str], spoken: str) -> None:
    assert protocol_of(offered) == spoken


def basic(user: bytes, password: bytes) -> bytes:
    return b"Basic " + base64.b64encode(user + b":" + password)


def test_credentials_are_split_at_the_first_colon() -> None:
    assert credentials_of(basic(b"CP-1", b"pass:with:colons")) == (b"CP-1", b"pass:with:colons")
    assert credentials_of(basic(b"CP-1", b"")) == (b"CP-1", b"")
    assert credentials_of(basic(b"", b"x")) == (b"", b"x")


def test_a_password_may_be_any_bytes() -> None:
    raw = bytes(range(256))
    assert credentials_of(basic(b"CP-1", raw)) == (b"CP-1", raw)
    assert credentials_of(b"bASIC  " + base64.b64encode(b"CP-1:\xff\x00\xfe") + b" ") == (b"CP-1", b"\xff\x00\xfe")


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"Basic",
        b"Basic ",
        b"Bearer abc",
        b"Basic ???",
        b"Basic abc",
        b"Basic \xff\xff",
        b"Basic " + base64.b64encode(b"no colon"),
    ],
)
def test_what_is_no_basic_authorization_is_none(header: bytes | None) -> None:
    assert credentials_of(header) is None


@settings(max_examples=often(150), deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_bytes_come_out_as_they_went_in(user: bytes, password: bytes) -> None:
    user = user.replace(b":", b"")
    assert credentials_of(basic(user, password)) == (user, password)
    credentials_of(b"Basic " + user)


@settings(max_examples=often(150), deadline=None, derandomize=True, database=None)
@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_any_path_gives_an_identity_that_can_be_encoded(path: str) -> None:
    identity_of(f"/ocpp/{path}").encode()


@pytest.mark.parametrize(
    ("address", "trusted", "is_one"),
    [
        ("10.1.2.3", ["10.0.0.0/8"], True),
        ("10.1.2.3", ["10.1.2.3"], True),
        ("10.1.2.3", ["10.1.2.4", "192.168.0.0/16"], False),
        ("::1", ["127.0.0.1", "::1"], True),
        ("::ffff:127.0.0.1", ["127.0.0.1"], True),
        ("fd00::5", ["fd00::/8"], True),
        ("10.1.2.3", [], False),
        ("", ["0.0.0.0/0"], False),
        ("nonsense", ["0.0.0.0/0"], False),
    ],
)
def test_who_is_a_trusted_proxy(address: str, trusted: list[str], is_one: bool) -> None:
    assert is_trusted(address, trusted) is is_one


def scope(*headers: tuple[bytes, bytes], **changes: Any) -> dict[str, Any]:
    """An ASGI scope of a station at 192.0.2.9 behind (or pretending to be) 10.0.0.1."""
    asked = {
        "path": "/ocpp/CP-1",
        "raw_path": b"/ocpp/CP-1",
        "headers": list(headers),
        "client": ("10.0.0.1", 4711),
        "scheme": "ws",
        "subprotocols": ["ocpp1.6"],
    }
    return asked | changes


def test_a_knock_holds_what_was_asked_for() -> None:
    knock = knock_of(
        scope(
            (b"host", b"csms.example.org"),
            (b"authorization", basic(b"CP-1", b"secret")),
            (b"user-agent", b"Charger/1.0 \xe9"),
            (b"cookie", b"session=secret"),
            raw_path=b"/ocpp/CP%2D1/",
            subprotocols=["ocpp2.0.1", " ocpp1.6 "],
            scheme="wss",
        ),
        [],
    )
    assert (knock.identity, knock.protocol, knock.offered) == ("CP-1", "ocpp2.0.1", ("ocpp2.0.1", "ocpp1.6"))
    assert knock.credentials == (b"CP-1", b"secret")
    assert (knock.address, knock.secure, knock.path) == ("10.0.0.1", True, "/ocpp/CP%2D1/")
    # What an operator may see holds no credentials.
    assert knock.headers == {
        **{"host": "csms.example.org", "user-agent": "Charger/1.0 é"},
        **{"authorization": "Basic ***", "cookie": "***"},
    }


def test_a_path_that_the_server_has_decoded_is_not_decoded_again() -> None:
    assert knock_of(scope(path="/ocpp/CP%41 ü", raw_path=None), []).identity == "CP%41 ü"


FORWARDED = ((b"x-forwarded-for", b"198.51.100.7, 192.0.2.9"), (b"x-forwarded-proto", b"https"))


def test_a_trusted_proxy_speaks_for_its_client() -> None:
    knock = knock_of(scope(*FORWARDED), ["10.0.0.0/8"])
    assert (knock.address, knock.secure) == ("192.0.2.9", True)


def test_anybody_elses_word_is_not_taken() -> None:
    knock = knock_of(scope(*FORWARDED), ["172.16.0.0/12"])
    assert (knock.address, knock.secure) == ("10.0.0.1", False)


def test_what_the_client_put_before_the_proxys_own_header_is_not_taken() -> None:
    forged = ((b"x-forwarded-for", b"127.0.0.1"), (b"x-forwarded-proto", b"https"))
    knock = knock_of(scope(*forged, (b"x-forwarded-for", b"192.0.2.9"), (b"x-forwarded-proto", b"http")), ["10.0.0.1"])
    assert (knock.address, knock.secure) == ("192.0.2.9", False)


def test_a_proxy_that_says_nothing_is_taken_for_the_client_without_tls() -> None:
    knock = knock_of(scope(scheme="wss"), ["10.0.0.1"])
    assert (knock.address, knock.secure) == ("10.0.0.1", False)
    assert knock_of(scope(client=None), ["10.0.0.1"]).address == ""
