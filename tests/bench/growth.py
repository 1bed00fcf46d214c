"""The same load on empty and on grown tables: samples, log rows and transactions of the last weeks, of the same stations."""

import os
import time

import psycopg

from tests.bench import database, load, report
from tests.bench.bench import Bench, Figure, csms
from tests.bench.ledger import FILLED
from tests.bench.network import Fleet

STATIONS = 500
#: Log rows and transactions, as parts of the samples: 25 million, 5 million, 2 million.
LOG_PART, TRANSACTION_PART = 5 / 25, 2 / 25

FILLS = {
    "ended transactions": """
        INSERT INTO stations_transaction (operator_id, station_id, evse_id, connector_number, ocpp_transaction_id, start_key,
            protocol, id_tag, authorization_status, status, doubt, started_at, stopped_at, received_at, stop_reason, stopped_by,
            meter_start_wh, meter_stop_wh, meter_last_wh, energy_wh, charging_state, sequences)
        SELECT s.operator_id, s.id, e.id, 1, '{FILLED}' || n, md5(n::text),
            'ocpp1.6', 'OLD-TAG', 'Accepted', 'ended', '', now() - n * {step}, now() - (n - 0.5) * {step}, now(), 'Local', '',
            n, n + 9000, n + 9000, 9000, '', '[]'
        FROM generate_series(1, {each}) n CROSS JOIN stations_station s
        LEFT JOIN stations_evse e ON e.station_id = s.id AND e.number = 1
        WHERE s.identity LIKE 'BENCH-GROWTH-%'""",
    "samples": """
        INSERT INTO stations_metersample
            (operator_id, station_id, evse_number, at, context, energy_wh, power_w, current_a, soc_percent)
        SELECT s.operator_id, s.id, 1, now() - n * {step}, 'Sample.Periodic', n, 10980.5, 15.9, 61
        FROM generate_series(1, {each}) n CROSS JOIN stations_station s WHERE s.identity LIKE 'BENCH-GROWTH-%'""",
    "log rows": """
        INSERT INTO stations_messagelogentry (operator_id, station_id, direction, protocol, message_id, action, event, outcome,
            call, answer, received_at, handling_us)
        SELECT s.operator_id, s.id, 'in', 'ocpp1.6', n::text, 'MeterValues', 'MetersSampled', 'result',
            repeat('x', 400), '[3,"' || n || '",{{}}]', now() - n * {step}, 4000
        FROM generate_series(1, {each}) n CROSS JOIN stations_station s WHERE s.identity LIKE 'BENCH-GROWTH-%'""",
}
WEEKS = 5


def measure(bench: Bench) -> None:
    fleet = bench.fleet("GROWTH", STATIONS)
    with bench.running(csms("uvicorn")) as subject:

        def outcomes() -> list[load.Outcome]:
            return [bench.drive(subject, fleet) for _ in range(max(bench.options.rounds, 2))]

        before = outcomes()
        rows = fill(bench, fleet, bench.options.samples)
        after = outcomes()
    parts = {"none": report.row("none", before), "grown": report.row("grown", after)}
    bench.details["growth"] = {"rows": rows} | parts
    size = f"{rows['samples'] / 1e6:g} million samples"
    for key, what in (("messages_per_core_s", "messages a second and core"), ("messages_per_s", "messages a second")):
        worse = round(100 * (1 - parts["grown"][key] / parts["none"][key]), 1)
        bench.figures.append(Figure(f"uvicorn: {what} lost with {size}", worse, "%", "<=", 25, 10))


def fill(bench: Bench, fleet: Fleet, samples: int) -> dict[str, int]:
    """Rows spread over the last weeks, all of the stations of this measurement."""
    counts = {"ended transactions": int(samples * TRANSACTION_PART), "samples": samples, "log rows": int(samples * LOG_PART)}
    with psycopg.connect(database.dsn(os.environ["DATABASE_URL"]), autocommit=True) as connection:
        for what, statement in FILLS.items():
            each, began = counts[what] // STATIONS, time.perf_counter()
            step = f"interval '{WEEKS * 7 * 86_400 / each} seconds'"
            connection.execute(statement.format(each=each, step=step, FILLED=FILLED))  # type: ignore[arg-type]
            bench.say(f"{counts[what]:,} {what} in {time.perf_counter() - began:.0f} s")
            for identity in fleet.stations:
                bench.ledger[identity].filled[what] = each
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    return counts
