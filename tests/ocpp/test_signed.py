"""Signed messages: right or wrong, by the station's key or by the certificate that came along, and heard in any case."""

import base64
import json
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509 import load_pem_x509_certificate
from django.core.exceptions import ValidationError
from django_scopes import scope

from csms.ocpp import signed
from stations.domain import commands
from stations.services import localcontrollers
from tests.engine import Engine
from tests.firmware import certificate
from tests.network import Network
from tests.stations.asking import asked, connected

RSA, OTHER = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)
P256, P384, P521 = (ec.generate_private_key(curve()) for curve in (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1))
ED = ed25519.Ed25519PrivateKey.generate()
DIGESTS = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
KEYS: dict[str, Any] = {
    **{"ES256": P256, "ES384": P384, "ES512": P521, "EdDSA": ED},
    **{f"{kind}{bits}": RSA for kind in ("RS", "PS") for bits in DIGESTS},
}
SAID = {"evseId": 1, "connectorId": 1, "connectorStatus": "Faulted", "timestamp": "2026-11-21T10:00:00Z"}


def coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def signature(alg: str, key: Any, data: bytes) -> bytes:
    if alg == "EdDSA":
        return bytes(key.sign(data))
    digest = DIGESTS[alg[2:]]
    match alg[:2]:
        case "ES":
            size = (key.key_size + 7) // 8
            return b"".join(n.to_bytes(size, "big") for n in decode_dss_signature(key.sign(data, ec.ECDSA(digest))))
        case "PS":
            return bytes(key.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest))
    return bytes(key.sign(data, padding.PKCS1v15(), digest))


def jws(alg: str = "ES256", key: Any = None, payload: Any = None, **header: Any) -> dict[str, Any]:
    """A message as a JWS in its flattened form."""
    key = key or KEYS[alg]
    body, protected = coded(json.dumps(payload or SAID).encode()), coded(json.dumps({"alg": alg} | header).encode())
    return {"payload": body, "protected": protected, "signature": coded(signature(alg, key, f"{protected}.{body}".encode()))}


def pem(key: Any) -> str:
    public = key.public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def x5c(key: Any) -> list[str]:
    der = load_pem_x509_certificate(certificate(key).encode()).public_bytes(serialization.Encoding.DER)
    return [base64.b64encode(der).decode()]


def code(message: dict[str, Any], key: str = "") -> str | None:
    said = signed.opened(message)
    assert said is not None
    note = signed.checked(said, "StatusNotification-Signed", key)
    return note.code if note else None


@pytest.mark.parametrize("alg", KEYS)
def test_a_signature_is_right_by_the_stations_key_and_wrong_by_another(alg: str) -> None:
    message = jws(alg)
    said = signed.opened(message)
    assert said is not None
    assert said.payload == SAID
    assert code(message, pem(KEYS[alg])) is None
    other = {"ES": ec.generate_private_key(P256.curve), "Ed": ed25519.Ed25519PrivateKey.generate()}.get(alg[:2], OTHER)
    assert code(message, pem(other)) == "signature_wrong"
    changed = message | {"payload": coded(json.dumps(SAID | {"evseId": 2}).encode())}
    assert code(changed, pem(KEYS[alg])) == "signature_wrong"


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256"])
def test_a_certificate_that_comes_along_shows_that_it_is_whole_but_not_who_it_is(alg: str) -> None:
    message = jws(alg, x5c=x5c(KEYS[alg]))
    assert code(message) == "signature_unvouched"
    assert code(message, certificate(KEYS[alg])) is None
    assert code(message, pem(OTHER)) == "signature_wrong"
    assert code(message | {"signature": coded(bytes(64))}) == "signature_wrong"


def test_several_signatures_are_all_looked_at() -> None:
    one = jws("ES256")
    parts = [{name: one[name] for name in ("protected", "signature")}]
    assert code({"payload": one["payload"], "signatures": parts}, pem(P256)) is None
    wrong = [*parts, {"protected": one["protected"], "signature": coded(bytes(64))}]
    assert code({"payload": one["payload"], "signatures": wrong}, pem(P256)) == "signature_wrong"


@pytest.mark.parametrize(
    "change",
    [
        {"signature": None},
        {"protected": coded(b'{"alg":"none"}')},
        {"protected": coded(b'{"alg":"HS256"}')},
        {"protected": coded(b'{"alg":"ES256","crit":["b64"]}')},
        {"protected": coded(b"[]")},
        {"protected": "ä"},
        {"protected": 7},
        {"signatures": []},
        {"signatures": [7]},
        {"signatures": "x"},
        {"protected": coded(b'{"alg":"ES256","x5c":["MIIB"]}')},
        {"protected": coded(b'{"alg":"ES256","x5c":"MIIB"}')},
        {},
    ],
    ids=str,
)
def test_what_cannot_be_checked_is_said_to_be_unchecked(change: dict[str, Any]) -> None:
    assert code(jws("ES256") | change) == "signature_unchecked"


def test_a_signed_message_is_heard_whatever_its_signature(network: Network) -> None:
    engine = Engine("ocpp2.0.1")
    station = network.station(accepted=True)
    with scope(operator=network.operator):
        localcontrollers.set_signing_key(station=station, pem=pem(P256))
        with pytest.raises(ValidationError, match="in PEM is needed"):
            localcontrollers.set_signing_key(station=station, pem="MIIB")
    assert engine.say(station, "StatusNotification-Signed", jws("ES256")) == {}
    assert network.findings(station) == []
    assert engine.say(station, "StatusNotification-Signed", jws("ES256", ec.generate_private_key(P256.curve))) == {}
    assert network.findings(station) == ["signature_wrong"]
    # Another key, from the next message on.
    with scope(operator=network.operator):
        localcontrollers.set_signing_key(station=station, pem="")
    assert engine.say(station, "StatusNotification-Signed", jws("RS256", x5c=x5c(RSA))) == {}
    assert network.findings(station) == ["signature_unvouched", "signature_wrong"]


def test_a_signed_message_is_kept_as_what_is_in_it_without_its_secrets(network: Network) -> None:
    engine, station = Engine("ocpp2.0.1"), network.station(accepted=True)
    engine.say(station, "Authorize-Signed", jws(payload={"idToken": {"idToken": "4711-0815", "type": "KeyCode"}}))
    (entry,) = network.log(station)
    assert orjson.loads(entry.call)[2:] == ["Authorize", {"idToken": {"idToken": "***", "type": "KeyCode"}}]
    # By its signature the code could be guessed.
    assert entry.signatures is None


@pytest.mark.parametrize("form", ["flattened", "general"])
def test_a_signature_is_kept_and_can_be_checked_again_once_the_key_is_known(network: Network, form: str) -> None:
    engine, station = Engine("ocpp2.0.1"), network.station(accepted=True)
    message = jws("ES256")
    parts = {name: message.pop(name) for name in ("protected", "signature")}
    engine.say(station, "StatusNotification-Signed", message | (parts if form == "flattened" else {"signatures": [parts]}))
    engine.say(station, "Heartbeat", {})
    plain, entry = sorted(network.log(station), key=lambda one: one.action)
    assert plain.signatures is None
    assert orjson.loads(entry.call)[2:] == ["StatusNotification", SAID]
    assert entry.signatures is not None
    assert orjson.loads(entry.signatures) == [parts]
    again = signed.logged(entry.call, entry.signatures)
    assert [note and note.code for note in (signed.checked(again, "", key) for key in ("", pem(P256), pem(OTHER)))] == [
        "signature_unchecked",
        None,
        "signature_wrong",
    ]


@pytest.mark.parametrize("right", [True, False])
def test_an_answer_that_is_signed_is_read_as_what_is_in_it(network: Network, right: bool) -> None:
    engine = Engine("ocpp2.0.1")
    station = connected(network, engine, signing_key=pem(P256))
    message = jws("ES256", None if right else ec.generate_private_key(P256.curve), {"status": "Accepted"})
    row = asked(engine, station, commands.ClearCache(), message)
    assert (row.status, row.response) == ("confirmed", {"status": "Accepted"})
    assert network.findings(station) == ([] if right else ["signature_wrong"])
    (entry,) = network.log(station)
    assert orjson.loads(entry.answer)[2] == {"status": "Accepted"}
    assert entry.signatures is not None
    again = signed.checked(signed.logged(entry.answer, entry.signatures), "", pem(P256))
    assert (again is None) is right


def test_a_signed_message_is_mended_as_any_other(network: Network) -> None:
    engine, station = Engine("ocpp2.0.1"), network.station(accepted=True)
    told = {"type": "MemoryExhaustion", "timestamp": "2026-11-21T10:00:00Z", "techInfo": "a\x00b"}
    assert engine.say(station, "SecurityEventNotification-Signed", jws(payload=told)) == {}
    assert "mended_nul" in network.findings(station)
