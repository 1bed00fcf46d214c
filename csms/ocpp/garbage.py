"""Full garbage collections, seldom enough that nobody notices their pause.

One walks everything that every socket holds: with a thousand of them it stops the process for an eighth of a second, and Python
starts one whenever the heap has grown by a quarter, which in a storm of reconnects is several times a second. Young objects are
collected as ever. What has outlived a full collection is frozen: the next one walks only what came since. What is frozen and was
left in circles meanwhile (Daphne's sockets leave some) is found by a whole one, when enough sockets have ended, or at last in an
hour.
"""

import gc
import time

#: Between two full collections lies so many times what the last one took, and at least so many seconds.
REST, SELDOM_S = 500, 30.0
#: It walks what is frozen, too, when so many sockets have ended since, or that share of those that are open, or after so long.
ENDED, ENDED_SHARE, WHOLE_S = 200, 0.25, 3600.0
NEVER = 1_000_000


class Garbage:
    """Looked after every second, with the monotonic time."""

    def __init__(self, now: float) -> None:
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, NEVER)
        self.due = now + SELDOM_S
        self.whole_due = now + WHOLE_S
        #: Sockets that ended since the last whole collection.
        self.ended = 0

    def look(self, now: float, sockets: int) -> bool:
        """Collects if it is time. `sockets`: how many are open."""
        if now < self.due:
            return False
        began = time.monotonic()
        if now >= self.whole_due or self.ended >= max(ENDED, ENDED_SHARE * sockets):
            self.ended, self.whole_due = 0, now + WHOLE_S
            gc.unfreeze()
        gc.collect()
        gc.freeze()
        took = time.monotonic() - began
        self.due = now + max(REST * took, SELDOM_S)
        return True
