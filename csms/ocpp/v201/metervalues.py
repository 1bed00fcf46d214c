"""OCPP 2.0.1 MeterValues (J01) and the meter values that TransactionEvent carries."""

from decimal import Decimal
from typing import Any

from csms.ocpp import signedvalues, times
from csms.ocpp.mend import UNREADABLE
from csms.ocpp.translator import Incoming, Payload
from stations.domain.events import Event, MetersSampled, Reply
from stations.domain.metering import LIMIT, Sampled, readings
from stations.domain.values import Note, Reading, Severity

#: Units of measurands whose unit is left out; Wh is the default (UnitOfMeasureType), which fits the registers only.
UNITS = {"Voltage": "V", "SoC": "Percent", "Frequency": "Hz"}


def read_meter_values(values: list[Payload], subject: str, notes: list[Note]) -> tuple[Reading, ...]:
    """Readings of a list of MeterValueType. One without a readable time is left out, with a note."""
    found: list[Reading] = []
    for value in values:
        at = times.parse(value["timestamp"], f"{subject}.timestamp", notes)
        if at is not None:
            sampled = [_sampled(one, subject, notes) for one in value["sampledValue"]]
            signed = [_signed(one, subject, notes) for one in value["sampledValue"] if "signedMeterValue" in one]
            found += readings(at, [one for one in sampled + signed if one is not None], notes)
    return tuple(found)


def _sampled(one: dict[str, Any], subject: str, notes: list[Note]) -> Sampled | None:
    if one.get("customData") == UNREADABLE:
        return None
    measurand = one.get("measurand", "Energy.Active.Import.Register")
    unit_of = one.get("unitOfMeasure") or {}
    # repr of a float is its shortest decimal form; money and energy never see binary fractions.
    number = Decimal(repr(one["value"]))
    multiplier = unit_of.get("multiplier", 0)
    if not number.is_finite() or not -9 <= multiplier <= 9 or abs(number.scaleb(multiplier)) >= LIMIT / 1000:
        notes.append(Note("value_absurd", f"{subject}.{measurand}", f"{str(number)[:40]} cannot be.", Severity.WARNING))
        return None
    number = number.scaleb(multiplier)
    unit = unit_of.get("unit") or UNITS.get(measurand) or _default_unit(measurand)
    return Sampled(
        value=number,
        text=f"{number:f}",
        measurand=measurand,
        unit=unit,
        context=one.get("context", "Sample.Periodic"),
        location=one.get("location", "EV" if measurand == "SoC" else "Outlet"),
        phase=one.get("phase", "").removesuffix("-N"),
    )


def _signed(one: dict[str, Any], subject: str, notes: list[Note]) -> Sampled | None:
    """What the meter signed, beside the number that is read (SignedMeterValueType)."""
    signed = signedvalues.read(one["signedMeterValue"], subject, notes)
    return Sampled(None, "", context=one.get("context", "Sample.Periodic"), signed=signed) if signed is not None else None


def _default_unit(measurand: str) -> str:
    if measurand.startswith("Power."):
        return "W"
    return "A" if measurand.startswith("Current.") else "Wh"


class MeterValues(Incoming):
    action = "MeterValues"
    transactional = True

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> Event:
        return MetersSampled(evse=payload["evseId"], readings=read_meter_values(payload["meterValue"], "meterValue", notes))

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}
