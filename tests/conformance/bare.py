"""A server that does nothing well: it accepts any sub-protocol and any password, answers every CALL with the smallest acceptance
its schema allows, asks nothing, and stores nothing. A suite that it passes proves nothing."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from csms.ocpp import schemas


def acceptance(protocol: str, action: str) -> Any:
    """The payload that says yes, and no more."""
    whole = schemas.schema(protocol, f"{action}Response")
    return _smallest(whole, whole)


def _smallest(part: dict[str, Any], whole: dict[str, Any]) -> Any:
    if "$ref" in part:
        return _smallest(whole["definitions"][part["$ref"].rpartition("/")[2]], whole)
    if "enum" in part:
        return "Accepted" if "Accepted" in part["enum"] else part["enum"][0]
    match part.get("type", "object"):
        case "object":
            return {name: _smallest(part["properties"][name], whole) for name in part.get("required", ())}
        case "array":
            return [_smallest(part["items"], whole)]
        case "string":
            return datetime.now(UTC).isoformat() if part.get("format") == "date-time" else "x"
        case "boolean":
            return True
        case _:
            return max(part.get("minimum", 1), 1)


def _serve(socket: ServerConnection) -> None:
    try:
        for text in socket:
            frame = json.loads(text)
            if frame[0] == 2:
                socket.send(json.dumps([3, frame[1], acceptance(socket.subprotocol or "ocpp1.6", frame[2])]))
    except ConnectionClosed:
        return


@contextmanager
def running() -> Iterator[str]:
    """Its address, as a station dials it."""

    def any_of_them(_: ServerConnection, offered: Any) -> Any:
        return offered[0] if offered else None

    with serve(_serve, "127.0.0.1", 0, select_subprotocol=any_of_them) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/ocpp"
        server.shutdown()
        thread.join()
