"""`manage.py forward`: the process that mirrors stations' traffic to second back ends."""

import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand

from csms.forwarding import running


class Command(BaseCommand):
    help = (
        "Mirrors what stations say to the second back ends of the page Forwarding, until it is told to stop. "
        "One is at work in the whole system; others stand by."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(_run())


async def _run() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await running.run(stop)
