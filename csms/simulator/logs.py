"""A simulated station's log: what it is, how its connectors are, and what was acknowledged; sent to where the CSMS wants it."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from csms.simulator.clock import wire_time

if TYPE_CHECKING:
    from csms.simulator.station import SimulatedStation

#: The newest acknowledged messages that it holds, at most.
LINES = 1000
TIMEOUT_S = 30


def name_of(station: "SimulatedStation", kind: str) -> str:
    return f"{quote(station.identity, safe='')}-{kind}.log"


def written(station: "SimulatedStation", kind: str) -> str:
    """What the log says."""
    lines = [
        f"{wire_time(station.clock.now())} {kind} of {station.identity}",
        f"{station.vendor} {station.model}, firmware {station.firmware_version}, {station.protocol}",
        *(f"connector {one.id}: {one.status} {one.error_code}, register {one.register_wh} Wh" for one in station.connectors),
        *(f"{one.action} {json.dumps(one.payload)} -> {json.dumps(one.response)}" for one in station.ledger[-LINES:]),
    ]
    return "\n".join(lines) + "\n"


async def send(
    station: "SimulatedStation", location: str, kind: str, tell: Callable[[str], Awaitable[object]], failed: str
) -> None:
    """Put the log to the location, and `tell` the CSMS how far it is; `failed` is the version's word for it."""
    await tell("Uploading")
    url = f"{location.rstrip('/')}/{name_of(station, kind)}"
    try:
        await asyncio.to_thread(_put, url, written(station, kind).encode())
    except (OSError, ValueError) as error:
        station.tell(f"the log could not be sent: {error}")
        await tell(failed)
    else:
        station.tell(f"sent its {kind} log")
        await tell("Uploaded")


def _put(url: str, body: bytes) -> None:
    """Raises OSError (an HTTP error is one), and ValueError for an address that is none."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"only http and https are spoken here, not {urlsplit(url).scheme}")
    request = urllib.request.Request(url, body, {"Content-Type": "text/plain"}, method="PUT")  # noqa: S310  (checked above)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310
        pass
