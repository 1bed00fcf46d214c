"""The beat: what is done again and again is set off by it."""

from typing import Any

from celery.beat import PersistentScheduler

from csms.celery import MOST_WAITING, OLD_S


class Scheduler(PersistentScheduler):  # type: ignore[misc]  # untyped
    """Celery's, but it does not go on while no worker takes what it sets off: a day of that is 230,000 tasks in Redis, each of
    which a worker that comes back must throw away before it does anything. What comes round within a minute waits for its next
    turn; what is done once an hour is set off all the same."""

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **kwargs: Any) -> Any:
        """The task that was sent; None if it waits for its next turn."""
        producer = producer or self.producer
        if entry.options["expires"] <= OLD_S and producer.channel.client.llen(self.app.conf.task_default_queue) >= MOST_WAITING:
            if advance:
                self.reserve(entry)
            return None
        return super().apply_async(entry, producer=producer, advance=advance, **kwargs)
