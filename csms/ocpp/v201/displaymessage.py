"""OCPP 2.0.1 SetDisplayMessage (O01, O02, O06), GetDisplayMessages, NotifyDisplayMessages (O03, O04), ClearDisplayMessage (O05)."""

from datetime import datetime
from typing import Any

from csms.ocpp import times
from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.verdicts import outcome
from stations.domain.commands import Outcome, Verdict
from stations.domain.commands import displaymessage as asked
from stations.domain.event import Reply
from stations.domain.events import DisplayMessagesReported, ShownMessage
from stations.domain.values import Note, Severity

INT32 = 2**31


def _int32(value: int) -> bool:
    return -INT32 <= value < INT32


class NotifyDisplayMessages(Incoming):
    action = "NotifyDisplayMessages"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> DisplayMessagesReported:
        messages = []
        for one in payload.get("messageInfo", []):
            if _int32(one["id"]):
                messages.append(_shown(one, notes))
            else:
                notes.append(Note("value_absurd", "id", f"{str(one['id'])[:40]} cannot be.", Severity.WARNING))
        return DisplayMessagesReported(payload["requestId"], not payload.get("tbc", False), tuple(messages))

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {}


def _shown(one: Payload, notes: list[Note]) -> ShownMessage:
    message, display = one["message"], one.get("display") or {}
    start, end = (times.parse(one[name], name, notes) if name in one else None for name in ("startDateTime", "endDateTime"))
    evse = display.get("evse") or {}
    return ShownMessage(
        number=one["id"],
        priority=one["priority"],
        content=message["content"],
        format=message["format"],
        language=message.get("language", ""),
        state=one.get("state", ""),
        start_at=start,
        end_at=end,
        transaction_id=one.get("transactionId", ""),
        component=display.get("name", ""),
        component_instance=display.get("instance", ""),
        evse=_place(evse.get("id", 0)),
        connector=_place(evse.get("connectorId", 0)),
    )


def _place(number: int) -> int:
    return number if 0 <= number <= 255 else 0


def _display(command: asked.SetDisplayMessage) -> Payload:
    """OCPP 2.0.1 ComponentType."""
    display: Payload = {"name": command.component}
    if command.component_instance is not None:
        display["instance"] = command.component_instance
    if command.evse is not None:
        display["evse"] = {"id": command.evse} | ({} if command.connector is None else {"connectorId": command.connector})
    return display


class SetDisplayMessage(Outgoing):
    action = "SetDisplayMessage"
    command = asked.SetDisplayMessage

    @staticmethod
    def encode(command: asked.SetDisplayMessage, number: int, limits: dict[str, int]) -> list[Payload]:
        content: Payload = {"format": command.format, "content": command.content}
        if command.language is not None:
            content["language"] = command.language
        told: Payload = {
            "id": number if command.number is None else command.number,
            "priority": command.priority,
            "message": content,
        }
        if command.state is not None:
            told["state"] = command.state
        for name, at in (("startDateTime", command.start), ("endDateTime", command.end)):
            if at is not None:
                told[name] = times.emit(datetime.fromisoformat(at))
        if command.transaction is not None:
            told["transactionId"] = command.transaction
        if command.component is not None:
            told["display"] = _display(command)
        return [{"message": told}]

    @staticmethod
    def parse(payload: Payload) -> asked.SetDisplayMessage:
        told = payload["message"]
        content, display = told["message"], told.get("display") or {}
        evse = display.get("evse") or {}
        return asked.SetDisplayMessage(
            content=content["content"],
            priority=told["priority"],
            number=told["id"],
            format=content["format"],
            language=content.get("language"),
            state=told.get("state"),
            start=told.get("startDateTime"),
            end=told.get("endDateTime"),
            transaction=told.get("transactionId"),
            component=display.get("name"),
            evse=evse.get("id"),
            component_instance=display.get("instance"),
            connector=evse.get("connectorId"),
        )

    @staticmethod
    def decode(command: asked.SetDisplayMessage, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"message": SetDisplayMessage.parse(sent).params()})


class GetDisplayMessages(Outgoing):
    action = "GetDisplayMessages"
    command = asked.GetDisplayMessages

    @staticmethod
    def encode(command: asked.GetDisplayMessages, number: int, limits: dict[str, int]) -> list[Payload]:
        wanted: dict[str, Any] = {"id": command.numbers, "priority": command.priority, "state": command.state}
        return [{"requestId": number} | {name: value for name, value in wanted.items() if value is not None}]

    @staticmethod
    def parse(payload: Payload) -> asked.GetDisplayMessages:
        return asked.GetDisplayMessages(payload.get("id"), payload.get("priority"), payload.get("state"))

    @staticmethod
    def decode(command: asked.GetDisplayMessages, sent: Payload, answer: Payload) -> Outcome:
        if answer["status"] == "Unknown":
            # It has none of what was asked for, and sends no page: that is an answer, not a refusal.
            return Outcome(Verdict.ACCEPTED, "Unknown", facts={"none": True} | GetDisplayMessages.parse(sent).params())
        return outcome(answer, facts={"request_id": sent["requestId"]})


class ClearDisplayMessage(Outgoing):
    action = "ClearDisplayMessage"
    command = asked.ClearDisplayMessage

    @staticmethod
    def encode(command: asked.ClearDisplayMessage, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{"id": command.number}]

    @staticmethod
    def parse(payload: Payload) -> asked.ClearDisplayMessage:
        return asked.ClearDisplayMessage(payload["id"])

    @staticmethod
    def decode(command: asked.ClearDisplayMessage, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer, facts={"number": sent["id"]})
