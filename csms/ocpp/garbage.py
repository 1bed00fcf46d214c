"""Full garbage collections, seldom enough that nobody notices their pause.

One walks everything that every socket holds: with a thousand of them it stops the process for an eighth of a second, and Python
starts one whenever the heap has grown by a quarter, which in a storm of reconnects is several times a second. Young objects are
collected as ever; what has grown old and left in circles (Daphne's sockets, a page of ten thousand stations) waits for its turn.
"""

import gc
import time

#: Between two full collections lies so many times what the last one took, and at least so many seconds.
REST, SELDOM_S = 500, 30.0
NEVER = 1_000_000


class Garbage:
    """Looked after every second, with the monotonic time."""

    def __init__(self, now: float) -> None:
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, NEVER)
        self.due = now + SELDOM_S

    def look(self, now: float) -> bool:
        """Collects if it is time."""
        if now < self.due:
            return False
        began = time.monotonic()
        gc.collect()
        took = time.monotonic() - began
        self.due = now + max(REST * took, SELDOM_S)
        return True
