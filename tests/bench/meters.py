"""What the metrics cost a message: `python -m tests.bench.meters`. CPU of `csms.ocpp.meters.committed` for batches of 1 to 256."""

import os
import time
from datetime import UTC, datetime
from typing import Any

MESSAGES = 200_000


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms.settings")
    import django

    django.setup()
    from csms.metrics import pulse
    from csms.ocpp import frames, gateway, meters  # noqa: F401  (the gateway has gauges)
    from csms.ocpp.exchange import Inbound
    from stations.batch import Batch, Ids

    now = datetime.now(UTC)
    actions = [*["Heartbeat"] * 2, "StatusNotification", *["MeterValues"] * 6, "StartTransaction"]
    text = frames.result("m1", {"currentTime": "2026-01-01T00:00:00Z"})
    for size in (1, 8, 64, 256):
        answers: list[tuple[Any, str]] = []
        for number in range(size):
            call = frames.Call("m1", actions[number % 10], {})
            answers.append((Inbound(1, 1, "ocpp1.6", call, "", now, time.monotonic() - number / 1000), text))
        batch = Batch(None, {}, Ids(), now)  # type: ignore[arg-type]
        rounds = MESSAGES // size
        before = time.process_time_ns()
        for _ in range(rounds):
            meters.committed(answers, batch, time.monotonic())
        spent = time.process_time_ns() - before
        print(f"batches of {size:3}: {spent / (rounds * size):6.0f} ns a message")
    before = time.process_time_ns()
    for _ in range(1000):
        pulse.write()
    print(f"showing it to the others: {(time.process_time_ns() - before) / 1e6:.0f} us a second")


if __name__ == "__main__":
    main()
