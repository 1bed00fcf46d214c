"""How a list is cut into messages."""

from typing import Any

import orjson
import pytest

from csms.ocpp.v201.localauthlist import SendLocalList
from stations.domain import commands
from stations.domain.locallists import AROUND, Limits, chunks, weight

CARD: dict[str, Any] = {"id_token": "04A1B2C3D4E5F607", "type": "ISO14443", "status": "Accepted"}
LONG = CARD | {"expires_at": "2030-01-31T02:00:00+00:00", "group": "THE-FAMILY-OF-DEE-20"}


@pytest.mark.parametrize(
    ("entries", "limits", "sizes"),
    [
        ([], Limits(), [0]),
        ([CARD] * 3, Limits(), [3]),
        ([CARD] * 120, Limits(), [50, 50, 20]),
        ([CARD] * 5, Limits(items=2), [2, 2, 1]),
        ([CARD] * 4, Limits(items=0), [4]),
        ([CARD] * 3, Limits(size=AROUND + 2 * weight(CARD)), [2, 1]),
        ([CARD] * 3, Limits(size=10), [1, 1, 1]),
        ([CARD] * 4, Limits(items=3, size=AROUND + 2 * weight(CARD)), [2, 2]),
    ],
)
def test_a_list_is_cut_by_entries_and_by_bytes(entries: list[dict[str, Any]], limits: Limits, sizes: list[int]) -> None:
    assert chunks(entries, limits) == sizes


@pytest.mark.parametrize("entry", [CARD, LONG, {"id_token": "Ä" * 20, "type": "MacAddress", "remove": True}])
def test_no_message_is_longer_than_it_is_taken_for(entry: dict[str, Any]) -> None:
    command = commands.SendLocalList("full" if "status" in entry else "differential", [entry], version=2**31 - 1)
    (payload,) = SendLocalList.encode(command, 1, {})
    frame = orjson.dumps([2, "csms-123456789012345678-123456", "SendLocalList", payload])
    assert len(frame) <= AROUND + weight(entry)
