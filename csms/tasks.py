"""Jobs of the system itself."""

from celery import shared_task

from csms.webhooks import tasks as webhooks  # noqa: F401  (Celery looks for jobs here)


@shared_task
def heartbeat() -> None:
    """Do nothing, by way of the beat, the queue and a worker: that it was done says that all three live (see `csms.jobs`)."""
