"""OCPP 1.6 MeterValues (4.7) and the meter values that StopTransaction carries."""

import re
from decimal import Decimal
from typing import Any

from csms.ocpp import signedvalues, times
from csms.ocpp.translator import Incoming, Payload
from stations.domain.events import Event, MetersSampled, Reply
from stations.domain.metering import LIMIT, Sampled, factor, readings
from stations.domain.values import Note, Reading, Severity

NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d{1,2})?\Z")
#: Units of measurands whose unit is left out; Wh is the default of the energy registers only (OCPP 1.6 7.45).
UNITS = {"Voltage": "V", "SoC": "Percent", "Frequency": "Hz", "RPM": "RPM", "Temperature": "Celsius", "Power.Factor": ""}


def read_meter_values(values: list[Payload], subject: str, notes: list[Note]) -> tuple[Reading, ...]:
    """Readings of a list of MeterValue. One without a readable time is left out, with a note."""
    found: list[Reading] = []
    for value in values:
        at = times.parse(value["timestamp"], f"{subject}.timestamp", notes)
        if at is not None:
            sampled = [_sampled(one, subject, notes) for one in value["sampledValue"]]
            found += readings(at, [one for one in sampled if one is not None], notes)
    return tuple(found)


def _sampled(one: dict[str, Any], subject: str, notes: list[Note]) -> Sampled | None:
    """A sampled value with its defaults; None if it is empty. What is no number, or an absurd one, is kept as text with a note."""
    text = one["value"].strip()
    if not text:
        return None
    context = one.get("context", "Sample.Periodic")
    if one.get("format") == "SignedData" or text.startswith("OCMF|"):  # some leave out the format
        signed = signedvalues.unwrap(one["value"], subject, notes)
        return Sampled(None, "", context=context, signed=signed) if signed is not None else None
    measurand = one.get("measurand", "Energy.Active.Import.Register")
    unit = one.get("unit") or UNITS.get(measurand, _default_unit(measurand))
    text = text[:100]
    number = Decimal(text.replace(",", ".")) if NUMBER.match(text) else None
    if number is None:
        notes.append(Note("value_unreadable", f"{subject}.{measurand}", f"{text[:40]!r} is no number.", Severity.WARNING))
    elif abs(number) * factor(unit) >= LIMIT:
        notes.append(Note("value_absurd", f"{subject}.{measurand}", f"{text[:40]} {unit} cannot be.", Severity.WARNING))
    location = one.get("location", "EV" if measurand == "SoC" else "Outlet")
    return Sampled(number, text, measurand, unit, context, location, _phase(one.get("phase", "")))


def _default_unit(measurand: str) -> str:
    if measurand.startswith("Power."):
        return "W"
    return "A" if measurand.startswith("Current.") else "Wh"


def _phase(phase: str) -> str:
    """L1-N and L1 are the same conductor; L1-L2 is a voltage of its own."""
    return phase.removesuffix("-N")


class MeterValues(Incoming):
    action = "MeterValues"
    transactional = True

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> Event:
        transaction = payload.get("transactionId")
        return MetersSampled(
            evse=payload["connectorId"],
            readings=read_meter_values(payload["meterValue"], "meterValue", notes),
            transaction_id=str(transaction) if transaction is not None else None,
        )

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}
