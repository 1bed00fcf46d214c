"""Takes connections from the listening socket a few at a time.

asyncio and Twisted take whatever waits there in one go. After an outage that is a whole network, and whoever is connected already
would wait until the last of thousands of handshakes is parsed; so between any few newcomers everybody else has a turn.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

logger = logging.getLogger("csms.server")

#: Newcomers for each turn of the event loop: a handshake costs about a millisecond.
AT_ONCE = 2
#: Without a free file descriptor there is no use in trying at once, in seconds.
PAUSE_S = 0.5
#: What may wait unsent in the kernel for one connection. Its own bound is megabytes: so much a station that does not read would
#: cost, and for so long nobody would notice. What is on its way does not count, so a long and fat line stays full.
UNSENT_BYTES = 64 * 1024
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Acceptor:
    """Gives each new connection to `adopt`, as a non-blocking socket that is its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, adopt: Callable[[socket.socket], None]) -> None:
        self.loop, self.sock, self.adopt = loop, sock, adopt
        self.stopped = False
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # connections inherit it
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        self.go_on()

    def go_on(self) -> None:
        if not self.stopped:
            self.loop.add_reader(self.sock, self.accept)

    def accept(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, _ = self.sock.accept()
            except OSError as error:
                if error.errno in EXHAUSTED:
                    logger.error("no further connection can be accepted: %s", error)
                    self.loop.remove_reader(self.sock)
                    self.loop.call_later(PAUSE_S, self.go_on)
                return  # otherwise nobody waits, or whoever did has gone
            connection.setblocking(False)
            self.adopt(connection)

    def stop(self) -> None:
        """Closes the listening socket, too."""
        self.stopped = True
        self.loop.remove_reader(self.sock)
        self.sock.close()
