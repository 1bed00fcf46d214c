"""A process that asks stations for something, steadily, and says when: `python -m tests.bench.asking`.

Reads {"stations", "seconds", "after_s"} as JSON and writes {message id of the call: monotonic seconds before it was asked}.
"""

import json
import os
import sys
import time
from itertools import cycle

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "csms.settings")
django.setup()

from django_scopes import scopes_disabled  # noqa: E402

from csms import bells  # noqa: E402, F401  (fills the port)
from stations.domain import commands  # noqa: E402
from stations.models import Station  # noqa: E402
from stations.services.commands import issue  # noqa: E402

A_SECOND = 25


def main() -> None:
    plan = json.load(sys.stdin)
    asked: dict[str, float] = {}
    with scopes_disabled():
        stations = list(Station.objects.filter(identity__in=plan["stations"]))
        time.sleep(plan["after_s"])
        began = time.perf_counter()
        for number, station in zip(range(int(plan["seconds"] * A_SECOND)), cycle(stations), strict=False):
            time.sleep(max(0.0, began + number / A_SECOND - time.perf_counter()))
            now = time.perf_counter()
            row = issue(station=station, command=commands.ClearCache())
            asked[f"csms-{row.pk}-1"] = now
    json.dump(asked, sys.stdout)


if __name__ == "__main__":
    main()
