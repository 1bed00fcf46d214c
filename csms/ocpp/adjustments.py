"""What can be done about a quirk: small functions that change what a station sent, what it is answered, or what it is asked.

They get payloads before anybody has looked at them, so they take nothing for granted. Each returns what it did, or None where there
was nothing to do.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from csms.ocpp import times
from csms.ocpp.menders import UNREADABLE
from csms.ocpp.translator import Payload, Unsayable
from stations.domain.composite import PHASES, VOLTS
from stations.domain.values import Note

REGISTER = "Energy.Active.Import.Register"
TIMES = ("timestamp", "generatedAt")
#: The settings that say which measurands a station reports.
MEASURAND_SETTINGS = {
    *("MeterValuesSampledData", "MeterValuesAlignedData", "StopTxnSampledData", "StopTxnAlignedData"),
    *("TxStartedMeasurands", "TxUpdatedMeasurands", "TxEndedMeasurands", "AlignedDataMeasurands"),
}
MEASURAND_COMPONENTS = ("SampledDataCtrlr", "AlignedDataCtrlr")


@dataclass(slots=True)
class Said:
    """A payload that a station sent, or that it is to be answered. `zone`: the time zone of its site."""

    protocol: str
    action: str
    payload: Any
    received_at: datetime
    zone: str = "UTC"


Params = dict[str, Any]


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a payload, itself included."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            yield one
            todo += one.values()
        elif isinstance(one, list):
            todo += one


def _samples(payload: Any) -> Iterator[dict[str, Any]]:
    for one in _objects(payload):
        sampled = one.get("sampledValue")
        yield from (s for s in (sampled if isinstance(sampled, list) else [sampled]) if isinstance(s, dict))


def _measurand(sample: dict[str, Any]) -> Any:
    return sample.get("measurand", REGISTER)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value).strip().replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**15 else None


def _like(number: Decimal, before: Any) -> Any:
    """The number as the value before was written."""
    if isinstance(before, str):
        return f"{number:f}"
    return int(number) if number == number.to_integral_value() else float(number)


def _blank(said: Said, sample: dict[str, Any]) -> None:
    """Decoders pass over it, and its neighbours stay where they are."""
    sample.clear()
    sample |= {"value": ""} if said.protocol == "ocpp1.6" else {"value": 0, "customData": dict(UNREADABLE)}


# What stations send


def local_time_zone(said: Said, *, zone: str = "", also_z: bool = False) -> str | None:
    there, count = _zone(zone or said.zone), 0
    for one in _objects(said.payload):
        for name in TIMES:
            text = one.get(name)
            at = _wall_time(text, also_z) if isinstance(text, str) else None
            if at is not None:
                one[name] = _nearest(at, there, said.received_at).isoformat().replace("+00:00", "Z")
                count += 1
    return f"{count} times read in {there.key}" if count else None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _wall_time(text: str, also_z: bool) -> datetime | None:
    """What the station's clock showed, if it is to be read by its own zone."""
    notes: list[Note] = []
    at = times.parse(text, "", notes)
    without = any(note.code == "time_without_zone" for note in notes)
    return at.replace(tzinfo=None) if at and (without or (also_z and text.strip()[-1:] in "zZ")) else None


def _nearest(at: datetime, there: ZoneInfo, received_at: datetime) -> datetime:
    """An hour that comes twice is the one that is nearer to the receipt."""
    try:
        both = [at.replace(tzinfo=there, fold=fold).astimezone(UTC) for fold in (0, 1)]
    except OverflowError:
        return at.replace(tzinfo=UTC)
    return min(both, key=lambda one: abs(received_at - one))


def clock_unreliable(said: Said) -> str | None:
    now, count = times.emit(said.received_at), 0
    for one in _objects(said.payload):
        for name in TIMES:
            if isinstance(one.get(name), str):
                one[name], count = now, count + 1
    return f"{count} times replaced by that of receipt" if count else None


def register_unit(said: Said, *, unit: str) -> str | None:
    count = 0
    for sample in _samples(said.payload):
        if _measurand(sample) != REGISTER:
            continue
        holder = sample
        if said.protocol != "ocpp1.6":
            holder = sample["unitOfMeasure"] = (
                dict(sample["unitOfMeasure"]) if isinstance(sample.get("unitOfMeasure"), dict) else {}
            )
        if holder.get("unit", "Wh") != unit:
            holder["unit"], count = unit, count + 1
    return f"{count} registers read in {unit}" if count else None


def measurand_factor(said: Said, *, measurand: str, factor: str) -> str | None:
    count = 0
    for sample in _samples(said.payload):
        number = _number(sample.get("value")) if _measurand(sample) == measurand else None
        if number is not None:
            sample["value"], count = _like(number * Decimal(factor), sample["value"]), count + 1
    return f"{count} values of {measurand} times {factor}" if count else None


def start_stop_factor(said: Said, *, factor: str) -> str | None:
    if not isinstance(said.payload, dict):
        return None
    for name in ("meterStart", "meterStop"):
        number = _number(said.payload.get(name))
        if number is not None:
            said.payload[name] = _like(number * Decimal(factor), said.payload[name])
            return f"{name} times {factor}"
    return None


def ignore_zero_register(said: Said) -> str | None:
    count = 0
    for sample in _samples(said.payload):
        zero = _measurand(sample) == REGISTER and _number(sample.get("value")) == 0
        if zero and sample.get("context") != "Transaction.Begin":
            _blank(said, sample)
            count += 1
    return f"{count} registers of 0 passed over" if count else None


def ignore_samples(said: Said, *, measurand: str = "", context: str = "", phase: str = "") -> str | None:
    count = 0
    for sample in _samples(said.payload):
        same = (not measurand or _measurand(sample) == measurand) and (not phase or sample.get("phase") == phase)
        if same and (not context or sample.get("context", "Sample.Periodic") == context):
            _blank(said, sample)
            count += 1
    return f"{count} sampled values passed over" if count else None


def sequence_unreliable(said: Said) -> str | None:
    if not isinstance(said.payload, dict) or said.payload.get("seqNo") == 0:
        return None
    said.payload["seqNo"] = 0
    return "the number of the event passed over"


def replace_value(said: Said, *, property: str, said_value: str, meant: str) -> str | None:
    count = 0
    for one in _objects(said.payload):
        if property in one and isinstance(one[property], str | int | float) and str(one[property]) == said_value:
            one[property], count = meant, count + 1
    return f"{property} {said_value!r} read as {meant!r}" if count else None


def connector_zero_is(said: Said, *, connector: int) -> str | None:
    if not isinstance(said.payload, dict) or said.payload.get("connectorId") != 0:
        return None
    said.payload["connectorId"] = connector
    return f"connector 0 read as {connector}"


def _tags(payload: Any) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Where id tags stand: what holds one, under which name, and the tag."""
    for one in _objects(payload):
        for name in ("idTag", "idToken"):
            if isinstance(one.get(name), str):
                yield one, name, one[name]


def id_tag_plain(said: Said) -> str | None:
    count = 0
    for holder, name, tag in list(_tags(said.payload)):
        plain = re.sub(r"[\s:.\-_]", "", tag)
        if plain and plain != tag:
            holder[name], count = plain, count + 1
    return f"{count} id tags read without separators" if count else None


def id_tag_reversed(said: Said) -> str | None:
    count = 0
    for holder, name, tag in list(_tags(said.payload)):
        if re.fullmatch(r"(?:[0-9A-Fa-f]{2}){2,10}", tag):
            holder[name] = "".join(reversed([tag[at : at + 2] for at in range(0, len(tag), 2)]))
            count += 1
    return f"{count} id tags read from their end" if count else None


# What they are answered


def id_tag_info_always(said: Said) -> str | None:
    if "idTagInfo" in said.payload:
        return None
    said.payload["idTagInfo"] = {"status": "Accepted"}
    return "idTagInfo added to the answer"


def empty_stop_answer(said: Said) -> str | None:
    return "idTagInfo left out of the answer" if said.payload.pop("idTagInfo", None) is not None else None


def plain_id_tag_info(said: Said) -> str | None:
    info = said.payload.get("idTagInfo")
    if not isinstance(info, dict) or set(info) == {"status"}:
        return None
    said.payload["idTagInfo"] = {"status": info["status"]}
    return "only the status of the id tag told"


def heartbeat_at_most(said: Said, *, seconds: int) -> str | None:
    if said.payload.get("status") != "Accepted" or said.payload.get("interval", 0) <= seconds:
        return None
    said.payload["interval"] = seconds
    return f"heartbeats asked for every {seconds} s"


# What they are asked: payloads of CALLs of ours, in place of which others go out


def measurands_allowed(protocol: str, calls: list[Payload], *, measurands: list[str]) -> tuple[list[Payload], str | None]:
    left_out: list[str] = []
    changed = [_with_allowed(call, measurands, left_out) for call in calls]
    return changed, f"not asked for: {', '.join(dict.fromkeys(left_out))}" if left_out else None


def _with_allowed(call: Payload, allowed: list[str], left_out: list[str]) -> Payload:
    if call.get("key") in MEASURAND_SETTINGS:
        return call | {"value": _allowed(str(call.get("value", "")), allowed, left_out)}
    if "setVariableData" not in call:
        return call
    items = []
    for item in call["setVariableData"]:
        name, component = item["variable"]["name"], item["component"]["name"]
        if name in MEASURAND_SETTINGS or (component in MEASURAND_COMPONENTS and name.endswith("Measurands")):
            item = item | {"attributeValue": _allowed(str(item["attributeValue"]), allowed, left_out)}
        items.append(item)
    return call | {"setVariableData": items}


def _allowed(text: str, allowed: list[str], left_out: list[str]) -> str:
    wanted = [one.strip() for one in text.split(",") if one.strip()]
    kept = [one for one in wanted if one in allowed]
    if wanted and not kept:
        raise Unsayable(f"Stations of this make report none of these measurands; they report {', '.join(allowed)}.")
    left_out += [one for one in wanted if one not in allowed]
    return ",".join(kept)


def keys_per_call(protocol: str, calls: list[Payload], *, keys: int) -> tuple[list[Payload], str | None]:
    found: list[Payload] = []
    for call in calls:
        asked = call.get("key") or []
        found += [call | {"key": asked[at : at + keys]} for at in range(0, len(asked), keys)] or [call]
    return found, f"asked in {len(found)} calls" if len(found) != len(calls) else None


def trigger_needs_connector(protocol: str, calls: list[Payload], *, connector: int) -> tuple[list[Payload], str | None]:
    more: Payload = {"connectorId": connector} if protocol == "ocpp1.6" else {"evse": {"id": connector}}
    about = ("MeterValues", "StatusNotification")
    found = [more | call if call.get("requestedMessage") in about else call for call in calls]
    return found, f"connector {connector} named" if found != calls else None


def current_only_profiles(protocol: str, calls: list[Payload]) -> tuple[list[Payload], str | None]:
    found = [_in_ampere(call) for call in calls]
    return found, "limits in ampere" if found != calls else None


def _in_ampere(value: Any) -> Any:
    """Every schedule of a payload in A; a composite schedule is asked for in A."""
    if isinstance(value, list):
        return [_in_ampere(one) for one in value]
    if not isinstance(value, dict):
        return value
    changed = {name: _in_ampere(one) for name, one in value.items()}
    if value.get("chargingRateUnit") == "W":
        changed["chargingRateUnit"] = "A"
        for period in changed.get("chargingSchedulePeriod", ()):
            # All phases share the power; three where it is not said (OCPP 2.0.1 ChargingSchedulePeriodType).
            volts = VOLTS * (period.get("numberPhases") or PHASES)
            period["limit"] = float((Decimal(str(period["limit"])) / volts).quantize(Decimal("0.1"), ROUND_DOWN))
        changed.pop("minChargingRate", None)
    return changed
