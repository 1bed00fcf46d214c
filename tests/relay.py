"""A server that can be taken away, stalled and given back: a relay in front of the real one."""

import contextlib
import socket
import threading
from urllib.parse import urlsplit

from django.conf import settings


class Relay:
    """Listens on a port of its own and passes bytes on to a server (the Redis of the tests unless told otherwise)."""

    def __init__(self, url: str = "") -> None:
        target = urlsplit(url or settings.REDIS_URL)
        self.target = (target.hostname or "", target.port or 6379)
        self.server = socket.create_server(("127.0.0.1", 0))
        credentials = "".join(target.netloc.rpartition("@")[:2])
        self.url = target._replace(netloc=f"{credentials}127.0.0.1:{self.server.getsockname()[1]}").geturl()
        self.up = True
        self.flowing = threading.Event()
        self.flowing.set()
        self.sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def take_away(self) -> None:
        """Connections break, and new ones break at once."""
        self.up = False
        self._break()

    def give_back(self) -> None:
        self.up = True

    def stall(self) -> None:
        """Connections stay, and new ones are taken, but nothing passes any more: half-open, to both sides."""
        self.flowing.clear()

    def flow(self) -> None:
        """What was held back arrives late."""
        self.flowing.set()

    def close(self) -> None:
        self.take_away()
        self.flow()
        self.server.close()

    def _break(self) -> None:
        while self.sockets:
            broken = self.sockets.pop()
            with contextlib.suppress(OSError):
                broken.shutdown(socket.SHUT_RDWR)
            broken.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.server.accept()
                if not self.up:
                    client.close()
                    continue
                try:
                    server = socket.create_connection(self.target)
                except OSError:
                    client.close()
                    continue
                self.sockets += [client, server]
                threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, outward: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.flowing.wait()
                if not self.passes(source if outward else sink, data, outward):
                    break
                sink.sendall(data)
        for end in (sink, source):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def passes(self, client: socket.socket, data: bytes, outward: bool) -> bool:
        """Whether these bytes (`outward`: from the client) may pass. If not, the client's connection breaks."""
        return True
