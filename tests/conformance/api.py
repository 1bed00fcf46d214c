"""What a program with an API key asks and reads, over HTTP."""

import http.client
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.conformance.against import PATIENCE_S
from tests.conformance.station import Station


class Api:
    """A client of `/api/v1/`. Paths are below it, and end with a slash."""

    def __init__(self, port: int, key: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.key = key

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and what came back."""
        headers = {"Authorization": f"Api-Key {self.key}", "Content-Type": "application/json"}
        self.connection.request(method, f"/api/v1/{path}", None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")

    def get(self, path: str) -> Any:
        status, found = self.ask("GET", path)
        assert status == 200, found
        return found

    def rows(self, path: str, **params: Any) -> list[Any]:
        """The first page of a list."""
        found: list[Any] = self.get(f"{path}?{urlencode(params)}")["results"]
        return found

    def of(self, station: Station, path: str, **params: Any) -> list[Any]:
        """The first page of a list, of one station."""
        return self.rows(path, station=station.identity, **params)

    def one(self, station: Station, path: str, **params: Any) -> Any:
        """The only row of a list, of one station."""
        (found,) = self.of(station, path, **params)
        return found

    def post(self, path: str, body: Any = None, *, status: int = 201) -> Any:
        got, found = self.ask("POST", path, body)
        assert got == status, found
        return found

    def upload(self, location: str, content: bytes) -> None:
        """Put a file where a station was told to: our server's address, at whatever port it listens."""
        self.connection.request("PUT", urlsplit(location).path, content, {"Content-Type": "application/octet-stream"})
        answer = self.connection.getresponse()
        assert answer.status in (200, 201), answer.read()
        answer.read()

    def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until the condition holds, and return what it gave."""
        deadline = time.monotonic() + PATIENCE_S
        while not (value := condition()):
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.02)
        return value

    # What cases look at most

    def station(self, station: Station) -> Any:
        return self.get(f"stations/{station.identity}/")

    def transaction(self, station: Station) -> Any:
        """The only one."""
        return self.one(station, "transactions/")

    def connector(self, station: Station, evse: int = 1, connector: int = 1) -> Any:
        return next(row for row in self.of(station, "connectors/", evse=evse) if row["connector"] == connector)

    def variable(self, station: Station, variable: str, attribute: str = "Actual") -> Any:
        """The one of this name; None if it is not known."""
        rows = self.of(station, "variables/", variable=variable)
        return next((row for row in rows if row["attribute"] == attribute), None)

    # Commands

    def command(self, station: Station, kind: str, params: dict[str, Any] | None = None, **options: Any) -> int:
        """Ask by our own name; the id of the command."""
        body = {"command": kind, "params": params or {}, **options}
        number: int = self.post(f"stations/{station.identity}/commands/", body)["id"]
        return number

    def raw(self, station: Station, action: str, payload: dict[str, Any] | None = None) -> int:
        """Ask by OCPP's name and payload, and do not wait; the id of the command."""
        path = f"stations/{station.identity}/ocpp/{action}/?wait=0"
        number: int = self.post(path, payload or {}, status=202)["command"]
        return number

    def becomes(self, command: int, status: str) -> Any:
        """Wait until the command has this status: its row."""
        seen = ""

        def reached() -> Any:
            nonlocal seen
            row = self.get(f"commands/{command}/")
            seen = row["status"]
            return row if seen == status else None

        try:
            return self.until(reached)
        except AssertionError:
            raise AssertionError(f"the command is {seen}, not {status}") from None
