"""Full garbage collections, seldom enough that nobody notices their pause.

One walks everything that every socket holds: with a thousand of them it stops the process for an eighth of a second, and Python
starts one whenever the heap has grown by a quarter, which in a storm of reconnects is several times a second. Young objects are
collected as ever. Sockets that have ended leave nothing in circles (csms.server cuts those of Daphne, seventy objects each, and
those of uvicorn, thirty), so what has grown old there is little, and of pages.
"""

import gc
import time

#: Between two full collections lies so many times what one takes, and at least so many seconds.
REST, SELDOM_S = 1000, 600.0
#: What one takes for each open socket, in seconds, until it is measured.
SOCKET_S = 0.000125
NEVER = 1_000_000


class Garbage:
    """Looked after every second, with the monotonic time."""

    def __init__(self, now: float) -> None:
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, NEVER)
        #: When the last one was, and what it took.
        self.last, self.took = now, 0.0

    def look(self, now: float, sockets: int) -> bool:
        """Collects if it is time. `sockets`: how many are open."""
        if now - self.last < max(REST * max(self.took, SOCKET_S * sockets), SELDOM_S):
            return False
        began = time.thread_time()  # on a busy machine it takes longer, but is no more work: garbage would lie about for longer
        gc.collect()
        self.last, self.took = now, time.thread_time() - began
        return True
