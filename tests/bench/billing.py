"""Charge records of many sessions by real Celery workers, one of which is killed in the middle: how fast, with how much memory, and
whether it is the same however it goes."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from accounts.models import Operator
from billing import tariffs
from tests.bench import database, network
from tests.bench.bench import Bench, Figure

WORKERS = 2
STATIONS = 500
#: A sample each quarter of an hour, for three hours.
SAMPLES = 11
TASK = "billing.tasks.make_charge_records"
PATIENCE_S = 420
#: Cheaper at night: when the energy flowed is looked up in the samples. It holds at every second charger.
BY_HOUR = {
    "elements": [
        {
            "price_components": [{"type": "ENERGY", "price": 0.2, "vat": 19, "step_size": 1}],
            "restrictions": {"start_time": "22:00", "end_time": "06:00"},
        },
        {"price_components": [{"type": "ENERGY", "price": 0.4, "vat": 19, "step_size": 1}]},
    ]
}
SESSIONS = """
INSERT INTO stations_transaction (operator_id, station_id, connector_number, ocpp_transaction_id, protocol, id_tag,
    authorization_status, status, doubt, started_at, stopped_at, received_at, stop_reason, stopped_by,
    meter_start_wh, meter_stop_wh, meter_last_wh, energy_wh, charging_state, sequences)
SELECT s.operator_id, s.id, 1, 'bill-' || n, 'ocpp1.6', 'BENCH', 'Accepted', 'ended', '',
    %(begin)s::timestamptz + n * interval '190 minutes', %(begin)s::timestamptz + n * interval '190 minutes' + interval '3 hours',
    now(), 'Local', '', 1000 * n, 1000 * n + 22000 + n, 1000 * n + 22000 + n, 22000 + n, '', '[]'
FROM generate_series(1, %(each)s) n CROSS JOIN stations_station s WHERE s.identity LIKE 'BENCH-BILLING-%%'
"""
READINGS = """
INSERT INTO stations_metersample (operator_id, station_id, transaction_id, evse_number, at, context, energy_wh)
SELECT t.operator_id, t.station_id, t.id, 1, t.started_at + k * interval '15 minutes', 'Sample.Periodic',
    t.meter_start_wh + k * t.energy_wh / 12
FROM stations_transaction t CROSS JOIN generate_series(1, %(samples)s) k WHERE t.ocpp_transaction_id LIKE 'bill-%%'
"""
TELL = """
INSERT INTO stations_outboxentry (operator_id, topic, subscriber, object_id, created_at, due_at, attempts, error)
SELECT operator_id, 'transaction_ended', 'billing', id, now(), now(), 0, '' FROM stations_transaction
WHERE ocpp_transaction_id LIKE 'bill-%%'
"""
#: All that counts of all records, as one text.
DIGEST = """
SELECT md5(string_agg(md5(concat_ws('|', transaction_id, revision, kind, energy_wh, lines, taxes, total_excl_tax, total_incl_tax)),
    '' ORDER BY transaction_id, revision)), count(*), sum(total_incl_tax) FROM billing_chargerecord
"""
LEFT = "SELECT count(*) FROM stations_outboxentry WHERE subscriber = 'billing'"


class Worker:
    """A Celery worker process with one child."""

    def __init__(self, number: int) -> None:
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "ERROR", "-n", f"bench{number}@%h"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "csms", "worker", "-c", "1", *quiet], start_new_session=True
        )

    def kill(self) -> None:
        if self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def peak_mib(self) -> float:
        """The most memory that one of its processes held."""
        peaks = [0.0]
        for status in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError, ValueError):
                text = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
                if os.getpgid(int(text["Pid"])) == self.process.pid and "VmHWM" in text:
                    peaks.append(int(text["VmHWM"].split()[0]) / 1024)
        return max(peaks)


def measure(bench: Bench) -> None:
    from csms.celery import app

    sessions = bench.options.sessions
    with psycopg.connect(database.dsn(os.environ["DATABASE_URL"]), autocommit=True) as connection:
        began = time.perf_counter()
        fill(bench.operator, connection, sessions)
        bench.say(f"{sessions:,} sessions with {sessions * SAMPLES:,} samples in {time.perf_counter() - began:.0f} s")
        for table in ("billing_chargerecord", "billing_receipt"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_not_emptied")  # in the bench's own database
        rounds: list[dict[str, Any]] = []
        for name, killing in (("undisturbed", False), ("a worker killed", True)):
            connection.execute("TRUNCATE billing_chargerecord CASCADE")
            connection.execute(TELL)
            rounds.append({"name": name, **run(app, connection, sessions, killing=killing)})
            bench.say(f"{name}: {rounds[-1]}")
        connection.execute(TELL)
        again = run(app, connection, sessions, killing=False)
        digests = {one["digest"] for one in [*rounds, again]}
        bench.say(f"told again: {again}")
    bench.details["billing"] = {"sessions": sessions, "rounds": [*rounds, again], "same": len(digests) == 1}
    if len(digests) != 1 or any(one["records"] != sessions for one in rounds):
        raise SystemExit(f"The charge records differ from run to run: {rounds} {again}")
    for one in rounds:
        bench.figures.append(Figure(f"charge records, {WORKERS} workers, {one['name']}", one["per_second"], "1/s"))
    bench.figures.append(Figure("most memory of a worker", max(one["peak_mib"] for one in rounds), "MiB"))


def fill(operator: Operator, connection: "psycopg.Connection[Any]", sessions: int) -> None:
    """Ended sessions, half of them under a tariff whose price changes by the hour."""
    fleet = network.make_fleet(operator, "BENCH-BILLING", stations=STATIONS)
    by_hour = tariffs.add_tariff(operator=operator, name="By the hour", ocpi=BY_HOUR)
    from stations.models import Station

    for station in Station._base_manager.filter(identity__in=fleet.stations[::2]):
        tariffs.assign(tariff=by_hour, station=station)
    begin = time.strftime("%Y-%m-01T00:00:00Z")
    connection.execute(SESSIONS, {"begin": begin, "each": sessions // STATIONS})
    connection.execute(READINGS, {"samples": SAMPLES})
    connection.execute("VACUUM ANALYZE")


def run(app: Any, connection: "psycopg.Connection[Any]", sessions: int, *, killing: bool) -> dict[str, Any]:
    """Until nothing waits. With `killing` a worker is killed when a third is done, and another one begins."""
    with contextlib.ExitStack() as stack:
        workers = [_started(stack, number) for number in range(WORKERS)]
        began, killed, peak, seen_at = time.perf_counter(), not killing, 0.0, 0.0
        while left := (connection.execute(LEFT).fetchone() or (0,))[0]:
            if time.perf_counter() - began > PATIENCE_S:
                raise SystemExit(f"{left} sessions still wait after {PATIENCE_S} s.")
            if not killed and left < sessions * 2 / 3:
                workers[0].kill()
                workers[0], killed = _started(stack, WORKERS), True
            for _ in range(WORKERS):
                app.send_task(TASK)
            peak = max([peak, *(worker.peak_mib() for worker in workers)])
            if left < sessions and not seen_at:
                # From when the first was done: workers that start are no part of it.
                seen_at = time.perf_counter()
                first = left
            time.sleep(0.5)
        took = time.perf_counter() - (seen_at or began)
        done = first if seen_at else sessions
        app.control.purge()
    digest, records, total = connection.execute(DIGEST).fetchone() or ("", 0, 0)
    return {
        "seconds": round(took, 1),
        "per_second": round(done / max(took, 0.5)),
        "peak_mib": round(peak),
        "records": records,
        "total": str(total),
        "digest": digest,
    }


@contextlib.contextmanager
def _running(number: int) -> Iterator[Worker]:
    worker = Worker(number)
    try:
        yield worker
    finally:
        worker.kill()


def _started(stack: contextlib.ExitStack, number: int) -> Worker:
    return stack.enter_context(_running(number))
