"""What OCPP 1.6 stations and we say to each other in DataTransfer by agreement, beyond the version.

`VENDORS` reads what stations send: by vendor and message, the translator of the payload within, which is JSON as text.
"""

import orjson

from csms.ocpp import costs
from csms.ocpp.errors import Code, InvalidPayload
from csms.ocpp.translator import Incoming, Payload
from csms.ocpp.v16 import costmessages
from stations.domain.event import Event, Reply
from stations.domain.values import Note

#: What stations send: vendor to message to translator.
VENDORS: dict[str, dict[str, type[Incoming]]] = {costs.VENDOR: costmessages.INCOMING}


def inner(payload: Payload) -> Payload | None:
    """The payload in a DataTransfer's `data`, if it is one. Some send it as it is, where the agreement has a text of JSON."""
    data = payload.get("data")
    try:
        found = orjson.loads(data) if isinstance(data, str) else data
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def read(payload: Payload, notes: list[Note]) -> Event | None:
    """What a station's DataTransfer says by agreement. None: its message is of no agreement."""
    translator = VENDORS.get(payload["vendorId"], {}).get(payload.get("messageId") or "")
    if translator is None:
        return None
    within = inner(payload)
    if within is None:
        raise InvalidPayload(Code.FORMAT_VIOLATION, f"The data of {translator.action} is no JSON object as text.")
    return translator.decode(within, notes)


def answered(reply: Reply) -> Payload:
    """A reply within the answer to a DataTransfer: those so far carry nothing."""
    return {"status": "Accepted"}
