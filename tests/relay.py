"""A Redis that can be taken away and given back: a relay in front of the real one."""

import contextlib
import socket
import threading
from urllib.parse import urlsplit

from django.conf import settings


class Relay:
    """Listens on a port of its own and passes bytes on to the Redis of the tests while it is `up`."""

    def __init__(self) -> None:
        target = urlsplit(settings.REDIS_URL)
        self.target = (target.hostname, target.port or 6379)
        self.server = socket.create_server(("127.0.0.1", 0))
        credentials = "".join(target.netloc.rpartition("@")[:2])
        self.url = f"redis://{credentials}127.0.0.1:{self.server.getsockname()[1]}{target.path}"
        self.up = True
        self.sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def take_away(self) -> None:
        """Connections break, and new ones break at once."""
        self.up = False
        self._break()

    def give_back(self) -> None:
        self.up = True

    def close(self) -> None:
        self.take_away()
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
                redis = socket.create_connection(self.target)
                self.sockets += [client, redis]
                for pair in ((client, redis), (redis, client)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
