"""Exchanges as the files under tests/wire have them: what was on the wire, the event or command it is, and what was answered."""

from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from csms.ocpp import mend, registry, times
from csms.ocpp.errors import MessageError
from stations.domain import commands, events
from stations.domain.events import Reply
from stations.domain.values import AuthorizationStatus, Note, Registration, TokenInfo, Wording

#: The number that commands have in tests/wire; some CALLs carry it.
NUMBER = 7


def as_json(value: Any) -> Any:
    """Events, replies and outcomes; fields that have their default are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        named = {} if not hasattr(type(value), "reply") else {"type": type(value).__name__}
        return named | {f.name: as_json(getattr(value, f.name)) for f in fields(value) if not _is_default(value, f)}
    if isinstance(value, tuple | list):
        return [as_json(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Decimal) else value


def heard(name: str, protocol: str, action: str, frame: str, payload: Any, answer: Any, at: datetime) -> dict[str, Any] | None:
    """A station's CALL. One that breaks its schema is a quirk, with the frame as it came. None: it cannot be understood."""
    notes: list[Note] = []
    try:
        translator = registry.incoming(protocol, action)
        clean, notes = mend.mend(protocol, action, payload, at)
        mends = len(notes)
        event = translator.decode(mend.whole(clean), notes)
    except MessageError:
        return None
    codes = {"notes": [note.code for note in notes]} if notes else {}
    if mends:
        return {"understood": [{"name": name, "frame": frame, "event": as_json(event), **codes}]}
    case: dict[str, Any] = {"name": name, "call": payload, "event": as_json(event), **codes}
    reply = reply_of(event.reply, answer)
    if reply is None or translator.encode(reply) != answer:
        return None
    return {"cases": [case | {"reply": {"type": type(reply).__name__, **as_json(reply)}, "answer": answer}]}


def asked(name: str, protocol: str, action: str, payload: Any, answer: Any) -> dict[str, Any] | None:
    """A CALL of ours with what the station made of it. None: it is no command, or its answer cannot be read."""
    translator = registry.BY_ACTION[protocol].get(action)
    if translator is None:
        return None
    translator = translator.reading(payload)
    try:
        command = translator.parse(payload)
        command.check()
        calls = translator.encode(command, NUMBER, {})
        answers = []
        if answer is not None:
            mend.validate(protocol, f"{action}Response", answer)
            answers = [{"payload": answer, "outcome": as_json(translator.decode(command, calls[0], answer))}]
    except (MessageError, commands.BadCommand):
        return None
    said = {f.name: as_json(getattr(command, f.name)) for f in fields(command) if not _is_default(command, f)}
    return {"cases": [{"name": name, "command": said, "calls": calls, "answers": answers}]}


def reply_of(kind: type[Reply], answer: Any) -> Reply | None:
    """The reply that an answer's payload says. Whoever asks encodes it again, to be sure."""
    if not isinstance(answer, dict):
        return None
    try:
        match kind:
            case events.Done:
                return events.Done()
            case events.TimeTold:
                return events.TimeTold(_at(answer["currentTime"]))
            case events.BootAnswered:
                return events.BootAnswered(Registration(answer["status"]), _at(answer["currentTime"]), answer["interval"])
            case events.TransactionEndAnswered:
                return events.TransactionEndAnswered(_info(answer))
            case events.TransactionProgressAnswered:
                cost = Decimal(str(answer["totalCost"])) if "totalCost" in answer else None
                message = _wording(answer.get("updatedPersonalMessage"))
                return events.TransactionProgressAnswered(_info(answer), cost, message=message)
            case events.TokenAnswered:
                info = _info(answer)
                return events.TokenAnswered(info, answer.get("certificateStatus", "")) if info else None
            case events.TransactionStartAnswered:
                info = _info(answer)
                return events.TransactionStartAnswered(str(answer["transactionId"]), info) if info else None
            case events.CertificateRequestAnswered:
                return events.CertificateRequestAnswered(answer["status"] == "Accepted", *_why(answer))
            case events.ContractCertificateAnswered:
                return events.ContractCertificateAnswered(answer["status"] == "Accepted", answer["exiResponse"], *_why(answer))
            case events.CertificateStatusAnswered:
                return events.CertificateStatusAnswered(answer["status"] == "Accepted", answer.get("ocspResult"), *_why(answer))
            case events.NeedsAnswered:
                return events.NeedsAnswered(events.NeedsVerdict(answer["status"]))
            case events.EvScheduleAnswered:
                return events.EvScheduleAnswered(answer["status"] == "Accepted")
            case events.VendorAnswered:
                return events.VendorAnswered(events.VendorStatus(answer["status"]), answer.get("data"))
    except (KeyError, ValueError, TypeError):
        return None
    return None


def _info(answer: dict[str, Any]) -> TokenInfo | None:
    info = answer.get("idTagInfo") or answer.get("idTokenInfo")
    if info is None:
        return None
    until = info.get("expiryDate") or info.get("cacheExpiryDateTime")
    group = info.get("parentIdTag") or (info.get("groupIdToken") or {}).get("idToken")
    message = _wording(info.get("personalMessage"))
    return TokenInfo(AuthorizationStatus(info["status"]), _at(until) if until else None, group, message)


def _wording(content: dict[str, Any] | None) -> Wording | None:
    return Wording(content["content"], content.get("language", "")) if content else None


def _why(answer: dict[str, Any]) -> tuple[str, str]:
    info = answer.get("statusInfo") or {}
    return info.get("reasonCode", ""), info.get("additionalInfo", "")


def _at(text: str) -> datetime:
    at = times.parse(text, "", [])
    if at is None:
        raise ValueError(text)
    return at


def _is_default(value: Any, field: Any) -> bool:
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return default is not MISSING and bool(getattr(value, field.name) == default)
