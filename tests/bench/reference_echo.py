"""Reference: answers every CALL with the same CALLRESULT. What the server alone costs; run by plain uvicorn."""

from typing import Any

ANSWER = '[3,"{}",{{"currentTime":"2026-01-01T00:00:00Z","transactionId":1,"idTagInfo":{{"status":"Accepted"}}}}]'


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept", "subprotocol": "ocpp1.6"})
    while (message := await receive())["type"] == "websocket.receive":
        message_id = message["text"].split('"', 2)[1]
        await send({"type": "websocket.send", "text": ANSWER.format(message_id)})
