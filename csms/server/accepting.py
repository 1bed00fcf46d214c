"""Takes connections from the listening socket a few at a time.

asyncio and Twisted take whatever waits there in one go. After an outage that is a whole network, and whoever is connected already
would wait until the last of thousands of handshakes is parsed. So while more wait than are taken, newcomers are let in at a steady
rate that leaves most of the processor to those who are in; the others wait in the kernel's queue.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

logger = logging.getLogger("csms.server")

#: Newcomers taken together, and the rest after that if there were so many, in seconds: 250 a second in each process. One costs it,
#: with its boot and its first status, about two milliseconds of the loop and of the batch thread.
AT_ONCE, REST_S = 2, 0.008
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
                    self.rest(PAUSE_S)
                return  # otherwise nobody waits, or whoever did has gone
            connection.setblocking(False)
            self.adopt(connection)
        self.rest(REST_S)

    def rest(self, seconds: float) -> None:
        self.loop.remove_reader(self.sock)
        self.loop.call_later(seconds, self.go_on)

    def stop(self) -> None:
        """Closes the listening socket, too."""
        self.stopped = True
        self.loop.remove_reader(self.sock)
        self.sock.close()
