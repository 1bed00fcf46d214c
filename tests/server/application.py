"""An ASGI application that does on demand whatever a server must cope with, and tells what it saw."""

import asyncio
import gc
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from csms.server.common import Disconnected

seen: dict[str, list[Any]] = {"disconnects": [], "drained": [], "sent": [0], "received": [0]}
stations: set[Any] = set()
scopes: list[Any] = []
released = asyncio.Event()


async def application(scope: Any, receive: Any, send: Any) -> None:
    query = {key: values[0] for key, values in parse_qs(scope["query_string"].decode()).items()}
    name = scope["path"].strip("/").replace("-", "_")
    await globals()[f"{scope['type']}_{name}"](scope, receive, send, query)


# HTTP


async def answer(send: Any, body: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


async def http_seen(scope: Any, receive: Any, send: Any, query: Any) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    await answer(
        send,
        {
            **seen,
            "rss": pages * os.sysconf("SC_PAGE_SIZE"),
            "pid": os.getpid(),
            "open": len(stations),
            "pongs": sum("csms.pong" in scope for scope in scopes),
        },
    )


async def http_circles(scope: Any, receive: Any, send: Any, query: Any) -> None:
    """How many objects only a full garbage collection frees; from now on there is none in between. What it returns itself leaves
    out those that go by themselves once a generator in their circle is closed."""
    gc.disable()
    before = watched()
    gc.collect()
    await answer(send, before - watched())


def watched() -> int:
    """Objects that may be in circles; without tuples and dictionaries, which are watched until a collection has looked at them."""
    return sum(type(one) not in (tuple, dict) for one in gc.get_objects())


async def http_release(scope: Any, receive: Any, send: Any, query: Any) -> None:
    released.set()
    await answer(send, {})


async def http_wait(scope: Any, receive: Any, send: Any, query: Any) -> None:
    seen["received"][0] += 1
    await released.wait()
    await answer(send, {"waited": True})


async def http_body(scope: Any, receive: Any, send: Any, query: Any) -> None:
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message["body"]), message["more_body"]
    await answer(send, {"size": size})


async def http_stream(scope: Any, receive: Any, send: Any, query: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(2000):
        await send({"type": "http.response.body", "body": b"x" * 50_000, "more_body": True})
        seen["sent"][0] += 1
    await send({"type": "http.response.body", "body": b""})


async def http_die(scope: Any, receive: Any, send: Any, query: Any) -> None:
    os._exit(7)


async def http_crash(scope: Any, receive: Any, send: Any, query: Any) -> None:
    raise RuntimeError("a bug in a view")


async def http_ocpp(scope: Any, receive: Any, send: Any, query: Any) -> None:
    await send({"type": "http.response.start", "status": 426, "headers": [(b"upgrade", b"websocket"), (b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


# Websockets


async def listen(receive: Any) -> Any:
    message = await receive()
    if message["type"] == "websocket.disconnect":
        seen["disconnects"].append(message["code"])
    return message


async def websocket_echo(scope: Any, receive: Any, send: Any, query: Any) -> None:
    await receive()
    await send({"type": "websocket.accept", "subprotocol": next(iter(scope["subprotocols"]), None)})
    stations.add(send)
    scopes.append(scope)
    while (message := await listen(receive))["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})
    stations.discard(send)


async def websocket_page(scope: Any, receive: Any, send: Any, query: Any) -> None:
    """A browser's page: no station, nobody drains it."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await listen(receive))["type"] != "websocket.disconnect":
        pass


async def websocket_deny(scope: Any, receive: Any, send: Any, query: Any) -> None:
    await receive()
    headers = [(b"www-authenticate", b'Basic realm="OCPP"'), (b"content-type", b"text/plain")]
    await send({"type": "websocket.http.response.start", "status": int(query["status"]), "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b"No, because."})
    await listen(receive)


async def websocket_refuse(scope: Any, receive: Any, send: Any, query: Any) -> None:
    await receive()
    await send({"type": "websocket.close"})


async def websocket_close(scope: Any, receive: Any, send: Any, query: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": int(query["code"]), "reason": query.get("reason", "")})
    await listen(receive)
    try:
        await send({"type": "websocket.send", "text": "too late"})
    except OSError:
        seen["disconnects"].append("send raised OSError")


async def websocket_late(scope: Any, receive: Any, send: Any, query: Any) -> None:
    await receive()
    await listen(receive)


async def websocket_crash(scope: Any, receive: Any, send: Any, query: Any) -> None:
    await receive()
    if "accepted" in query:
        await send({"type": "websocket.accept"})
    raise RuntimeError("a bug in a consumer")


async def websocket_gone(scope: Any, receive: Any, send: Any, query: Any) -> None:
    raise Disconnected


async def websocket_deaf(scope: Any, receive: Any, send: Any, query: Any) -> None:
    """Reads nothing until it is released."""
    await receive()
    await send({"type": "websocket.accept"})
    await released.wait()
    while (await listen(receive))["type"] == "websocket.receive":
        seen["received"][0] += 1


async def websocket_flood(scope: Any, receive: Any, send: Any, query: Any) -> None:
    """Writes more than any peer reads; a second task closes when released."""
    await receive()
    await send({"type": "websocket.accept"})

    async def close() -> None:
        await released.wait()
        await send({"type": "websocket.close", "code": 1013, "reason": "enough"})

    closing = asyncio.create_task(close())
    try:
        while True:
            await send({"type": "websocket.send", "text": "x" * 50_000})
            seen["sent"][0] += 1
    except OSError:
        await closing
        await listen(receive)


async def drain() -> None:
    seen["drained"].append(True)
    if "NEVER_DRAINED" in os.environ:
        await asyncio.Event().wait()
    for send in list(stations):
        await send({"type": "websocket.close", "code": 1012, "reason": "drained"})
