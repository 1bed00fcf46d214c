"""Signatures of meters: right ones of all curves and in all forms, and wrong ones in every way."""

import base64
import json
from decimal import Decimal
from pathlib import Path

import pyocmf
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from billing.signedmeter import LONGEST, BadKey, Key, Unreadable, Verdict, check, curve_of, plain, read, read_key
from csms.simulator.signing import CURVES
from tests.billing.meters import Meter, reading

VECTORS = json.loads((Path(__file__).parent / "ocmf.json").read_text())


def verdict(record: str, key: Key) -> Verdict:
    return check(read(record), key)[0]


def key_of(meter: Meter) -> Key:
    return read_key(meter.der.hex())


# Right ones


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_what_a_meter_signed_is_verified_with_its_key(curve: str, encoding: str) -> None:
    meter = Meter(curve)
    record = meter.sign(meter.payload(reading()), encoding=encoding)
    assert check(read(record), key_of(meter)) == (Verdict.VERIFIED, "")


@pytest.mark.parametrize("name", ["brainpool256r1", "brainpool384r1"])
def test_curves_have_the_names_that_ocmf_gives_them(name: str) -> None:
    meter = Meter(name.replace("brainpool", "brainpoolP"))
    record = meter.sign(meter.payload(), SA=f"ECDSA-{name}-SHA256")
    assert verdict(record, key_of(meter)) is Verdict.VERIFIED


def test_without_an_algorithm_it_is_the_default() -> None:
    meter = Meter()
    assert verdict(meter.sign(meter.payload(), SA=None), key_of(meter)) is Verdict.VERIFIED


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_fixed_vectors_say_what_they_said(case: dict[str, str]) -> None:
    """So that a library that changes is noticed."""
    assert verdict(case["record"], read_key(case["key"])) == case["verdict"]


@pytest.mark.parametrize("form", ["plain", "hex", "base64", "urlsafe without padding", "with line feeds"])
def test_a_record_is_read_in_any_form_and_comes_out_in_plain(form: str) -> None:
    meter = Meter()
    record = meter.record(reading(), TT="Größer > 1")
    coded = base64.b64encode(record.encode()).decode()
    forms = {
        "plain": f"  {record}\n",
        "hex": record.encode().hex(),
        "base64": coded,
        "urlsafe without padding": base64.urlsafe_b64encode(record.encode()).decode().rstrip("="),
        "with line feeds": "\n".join(coded[at : at + 76] for at in range(0, len(coded), 76)),
    }
    assert plain(forms[form]) == record
    assert verdict(forms[form], key_of(meter)) is Verdict.VERIFIED


def test_what_it_says_is_read_exactly() -> None:
    meter = Meter(serial="BQ27")
    first = reading("B", "2935.600", clock="I")
    last = {"TM": "2026-11-21T11:30:00,123+0100 S", "TX": "E", "RV": "2965.10"}
    record = read(meter.record(first, last, ID="1F2D3A4F5506C7"))
    begin, end = record.readings
    assert (begin.value, begin.energy_wh, begin.step_wh, begin.clock) == (Decimal("2935.600"), 2935600, 1, "I")
    assert str(begin.value) == "2935.600"
    # What the second leaves out is as in the first.
    assert (end.unit, end.obis, end.energy_wh, end.step_wh) == ("kWh", "1-b:1.8.0", 2965100, 10)
    assert end.at is not None
    assert end.at.isoformat() == "2026-11-21T11:30:00.123000+01:00"
    assert (record.meter, record.id, record.pagination, record.identified) == ("BQ27", "1F2D3A4F5506C7", "T1", True)


def test_energy_that_was_given_back_is_no_energy_taken() -> None:
    codes = {"1-b:1.8.0": 1000, "01-00:98.08.00.FF": 1000, "1-b:2.8.0": None, "01-00:02.08.00*FF": None, "01-00:C2.08.00*FF": None}
    for code, energy in codes.items():
        assert read(Meter().record(reading(RI=code))).readings[0].energy_wh == energy, code


# Wrong ones


def test_a_single_altered_byte_is_noticed() -> None:
    meter = Meter()
    record = meter.record(reading("E", "12.345"))
    assert verdict(record.replace("12.345", "12.346"), key_of(meter)) is Verdict.WRONG
    assert verdict(record.replace('"GI": "TEST"', '"GI":"TEST"'), key_of(meter)) is Verdict.WRONG


def test_another_meters_key_does_not_fit() -> None:
    assert verdict(Meter().record(), key_of(Meter())) is Verdict.WRONG
    found, why = check(read(Meter().record()), key_of(Meter("secp384r1")))
    assert (found, "secp384r1" in why) == (Verdict.WRONG, True)


def test_the_signature_of_another_record_does_not_fit() -> None:
    meter = Meter()
    begin, end = meter.begin().split("|"), meter.end().split("|")
    assert verdict("|".join([*begin[:2], end[2]]), key_of(meter)) is Verdict.WRONG


def test_a_curve_that_cannot_be_calculated_is_said_so() -> None:
    meter = Meter()
    for algorithm in ("ECDSA-secp192k1-SHA256", "RSA-2048-SHA256", "ECDSA-secp256r1-MD5", "nonsense", "--"):
        record = meter.sign(meter.payload(), SA=algorithm)
        assert verdict(record, key_of(meter)) is Verdict.UNSUPPORTED, algorithm


@pytest.mark.parametrize(
    "data",
    [
        "",
        "OCMF",
        "OCMF|{}",
        "no OCMF at all",
        "<xml/>",
        "AAA=",
        "OCMF|{}|{}",
        "OCMF|[]|{}",
        'OCMF|{"RD": []}|{"SD": "00"}',
        'OCMF|{"RD": [1]}|{"SD": "00"}',
        'OCMF|{"RD": [{}]}|{"SD": "xyz"}',
        'OCMF|{"RD": [{}]}|{"SD": "0"}',
        'OCMF|{"RD": [{}]}|{"SD": "00", "SM": "application/x-other"}',
        'OCMF|{"RD": [{"RV": NaN}]}|{"SD": "00"}',
        'OCMF|{"RD": [{"RV": 1, "RV": 2}]}|{"SD": "00"}',
        'OCMF|{"RD": [{}]}|{"SD": "00"}|a|b',
        "OCMF|" + "[" * 90_000 + "|{}",
        "OCMF|" + "x" * LONGEST,
        "OCMF|" + '{"RD": [' + "{}," * 600 + '{}]}|{"SD": "00"}',
    ],
)
def test_what_is_no_record_is_refused_with_a_reason(data: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(data)
    assert str(caught.value).endswith(".")


def test_a_record_that_is_cut_off_is_refused_wherever() -> None:
    record = Meter().record()
    for length in range(0, len(record) - 1, 7):
        with pytest.raises(Unreadable):
            read(record[:length])


def test_values_that_cannot_be_are_none() -> None:
    for value in ("1E+999999", "-1E-999999", "1" * 60, "true", '"many"', "[1]", "null"):
        (register,) = read(Meter().record(reading(kwh=value))).readings
        assert register.energy_wh is None, value
    (register,) = read(Meter().record(reading(TM="2026-13-99T99:00:00,000+0000 S"))).readings
    assert (register.at, register.clock) == (None, "")


@given(st.text(max_size=400) | st.binary(max_size=200).map(lambda raw: base64.b64encode(raw).decode()))
def test_whatever_comes_is_read_or_refused(text: str) -> None:
    for data in (text, f"OCMF|{text}", f'OCMF|{{"RD":[{{"RV":1}}]}}|{text}', f'OCMF|{{"RD":[{text}]}}|{{"SD":"00"}}'):
        try:
            record = read(data)
        except Unreadable:
            continue
        assert check(record, read_key(Meter().der.hex()))[0] is not Verdict.VERIFIED


# Keys


@pytest.mark.parametrize("curve", CURVES)
def test_a_key_is_read_however_it_is_written(curve: str) -> None:
    meter = Meter(curve)
    hexed = meter.der.hex()
    wrapped = f"oca:base16:asn1:{hexed}"
    for text in (
        hexed,
        hexed.upper(),
        " ".join(hexed[at : at + 2] for at in range(0, len(hexed), 2)),
        ":".join(hexed[at : at + 2] for at in range(0, len(hexed), 2)),
        f"0x{hexed}",
        base64.b64encode(meter.der).decode(),
        base64.urlsafe_b64encode(meter.der).decode().rstrip("="),
        meter.pem,
        base64.b64encode(meter.pem.encode()).decode(),
        base64.b64encode(hexed.encode()).decode(),
        wrapped,
        base64.b64encode(wrapped.encode()).decode(),
    ):
        assert read_key(text).der == meter.der, text
    for point in (meter.point, meter.point[1:]):
        assert read_key(point.hex(), curve).der == meter.der


def test_what_is_no_key_says_why() -> None:
    meter = Meter()
    rsa_key = rsa.generate_private_key(65537, 2048).public_key()
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    # The key of secp192k1 that SAFE publishes among its examples.
    secp192k1 = (
        "304630100607 2A8648CE3D0201 06052B8104001F 033200 04C200654221 8BB27F5E0B945C5F9D158867B666B3BB4414AB"
        "C6569489A8F7985020C77F0F32A4B4E183A3056127C34869"
    )
    wrong = {
        "": "form",
        "not a key": "form",
        "x" * 5000: "form",
        meter.der.hex()[:-4]: "cut",
        meter.pem[:90]: "cut",
        rsa_key.public_bytes(serialization.Encoding.PEM, info).decode(): "kind",
        meter.point.hex(): "bare",
        secp192k1: "curve",
    }
    for text, code in wrong.items():
        with pytest.raises(BadKey) as caught:
            read_key(text)
        assert caught.value.code == code, text[:60]
    for curve, code in (("secp384r1", "point"), ("secp192k1", "curve")):
        with pytest.raises(BadKey) as caught:
            read_key(meter.point.hex(), curve)
        assert caught.value.code == code
    with pytest.raises(BadKey):
        read_key((b"\x04" + b"\x01" * 64).hex(), "secp256r1")


def test_a_private_key_is_no_public_one() -> None:
    private = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(BadKey):
        read_key(private.decode())


def test_another_implementation_says_the_same() -> None:
    """pyocmf, of the curves that it knows."""
    for curve in ("secp192r1", "secp256k1", "secp256r1", "secp384r1", "brainpoolP256r1"):
        meter = Meter(curve)
        record = meter.record()
        for text in (record, record.replace("CARD", "CARE")):
            theirs = pyocmf.OCMF.from_string(text).verify_signature(meter.der.hex())
            assert (verdict(text, key_of(meter)) is Verdict.VERIFIED) == theirs
            assert curve_of(read(text)) == curve
