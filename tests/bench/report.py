"""The figures of a run for people, and the machine they were measured on."""

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from tests.bench.load import Outcome


def per_core(outcome: Outcome) -> float:
    """Messages per CPU second of the server's process and PostgreSQL's."""
    return outcome.messages / max(outcome.server_cpu_s + outcome.postgres_cpu_s, 0.01)


def median(outcomes: Sequence[Outcome], value: Callable[[Outcome], float]) -> float:
    return statistics.median(map(value, outcomes))


def row(name: str, rounds: Sequence[Outcome]) -> dict[str, Any]:
    """The medians over the rounds, and each round's rate."""
    return {
        "name": name,
        "messages_per_s": round(median(rounds, lambda o: o.messages / o.seconds)),
        "messages_per_core_s": round(median(rounds, per_core)),
        "server_us_per_message": round(median(rounds, lambda o: 1e6 * o.server_cpu_s / max(o.messages, 1)), 1),
        "postgres_us_per_message": round(median(rounds, lambda o: 1e6 * o.postgres_cpu_s / max(o.messages, 1)), 1),
        "generator_us_per_message": round(median(rounds, lambda o: 1e6 * o.generator_cpu_s / max(o.messages, 1)), 1),
        "p50_ms": round(median(rounds, lambda o: o.latencies_ms.get("p50", 0.0)), 1),
        "p99_ms": round(median(rounds, lambda o: o.latencies_ms.get("p99", 0.0)), 1),
        "errors": sum(sum(o.errors.values()) + o.unanswered for o in rounds),
        "rounds_messages_per_s": [round(o.messages / o.seconds) for o in rounds],
    }


def machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30, 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average": os.getloadavg()[0],
    }


def text(found: dict[str, Any]) -> str:
    """For people to read; the tables are valid Markdown."""
    lines = [table(rows(found)), ""]
    if "capacity" in found["details"]:
        keys = ("messages_per_s", "messages_per_core_s", "server_us_per_message", "postgres_us_per_message", "p50_ms", "p99_ms")
        closed = [("closed loop", "msg/s", "per core", "server µs", "PostgreSQL µs", "p50 ms", "p99 ms", "errors")]
        measured = found["details"]["capacity"]["rows"]
        closed += [(one["name"], *(str(one[key]) for key in (*keys, "errors"))) for one in measured]
        lines += [table(closed), ""]
    lines += [", ".join(f"{k} {v}" for k, v in found[part].items()) for part in ("machine", "postgresql", "options")]
    if found["wrong"]:
        lines += ["", "The tables differ from what was acknowledged:", *found["wrong"][:20]]
    else:
        lines += ["", f"All {found['acknowledged']} messages that csms acknowledged are in the tables, each once."]
    return "\n".join(lines)


def rows(found: dict[str, Any]) -> list[Sequence[str]]:
    """Each figure, as it would be where the echo does 70,000, and what must be and is aimed at; the first row is the head."""
    rows: list[Sequence[str]] = [("", "value", "unit", "scaled", "must", "aim", "reached")]
    for one in found["figures"]:
        bounds = [f"{one['limit']} {one[name]:g}" if one[name] is not None else "" for name in ("must", "aim")]
        scaled = "" if one["scaled"] is None else f"{one['scaled']:g}"
        rows.append((one["what"], f"{one['value']:g}", one["unit"], scaled, *bounds, one["verdict"]))
    return rows


def table(rows: Sequence[Sequence[str]]) -> str:
    """Markdown; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
