"""Simulated meters that sign: what they say verifies, in the messages of both versions."""

import base64
import json
from datetime import UTC, datetime

import pytest

from billing.signedmeter import Verdict, check, read, read_key
from csms.simulator.battery import AC_22KW
from csms.simulator.connector import Connector
from csms.simulator.signing import CURVES, Signer, SigningMeter
from csms.simulator.v16 import dialect as v16
from csms.simulator.v201 import dialect as v201

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
REGISTER = "Energy.Active.Import.Register"


@pytest.mark.parametrize("curve", CURVES)
def test_what_it_signs_is_verified_and_exact(curve: str) -> None:
    meter = SigningMeter("SN-1", curve)
    record = read(meter.record(AT, "B", 389_049_527, "04A1", "AMBER-01 1"))
    assert check(record, read_key(meter.public_key)) == (Verdict.VERIFIED, "")
    (register,) = record.readings
    assert (register.energy_wh, register.at, record.id, record.meter) == (389_049_527, AT, "04A1", "SN-1")


def test_a_meter_keeps_its_key_and_its_pages_go_up() -> None:
    first, again = SigningMeter("SN-1"), SigningMeter("SN-1")
    assert first.public_key == again.public_key != SigningMeter("SN-2").public_key
    pages = [read(first.record(AT, reason, 1, "T", "")).pagination for reason in "BEB"]
    assert pages == sorted(set(pages))


def test_the_key_comes_with_the_begin_and_nothing_is_signed_in_between() -> None:
    signer = Signer("AMBER-01")
    begin, end = (signer.value(1, AT, f"Transaction.{part}", 1000, "T") for part in ("Begin", "End"))
    assert begin is not None
    assert end is not None
    assert read_key(begin["publicKey"]).der == read_key(signer.meter(1).public_key).der
    assert end["publicKey"] == ""
    assert signer.value(1, AT, "Sample.Periodic", 1000, "T") is None


def test_both_versions_carry_it() -> None:
    connector = Connector(1, AC_22KW, 1234.0)
    signed = Signer("AMBER-01").value(1, AT, "Transaction.End", 1234, "T")
    assert signed is not None
    old = v16.meter_value(connector, AT, "Transaction.End", {REGISTER}, signed)
    assert old is not None
    assert [one.get("format") for one in old["sampledValue"]] == [None, "SignedData"]
    assert json.loads(old["sampledValue"][1]["value"]) == signed
    new = v201.meter_value(connector, AT, "Transaction.End", set(), signed)
    assert new is not None
    (value,) = new["sampledValue"]
    assert value["value"] == 1234
    assert base64.b64decode(value["signedMeterValue"]["signedMeterData"]).startswith(b"OCMF|")
    assert v16.meter_value(connector, AT, "Transaction.End", set()) is None
