"""The figures of a run: medians over the rounds, ratios within the run, and the machine they were measured on."""

import os
import platform
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from tests.bench.load import Outcome
from tests.bench.subjects import Subject

#: What is put in relation to what: names of subjects.
RATIOS = (
    ("csms, uvicorn", "ORM reference, uvicorn"),
    ("csms, uvicorn", "ORM reference, daphne"),
    ("csms, daphne", "ORM reference, daphne"),
    ("csms, uvicorn", "echo, uvicorn"),
)


def per_core(outcome: Outcome) -> float:
    """Messages per CPU second of the server's process and PostgreSQL's."""
    return outcome.messages / max(outcome.server_cpu_s + outcome.postgres_cpu_s, 0.01)


def median(outcomes: Sequence[Outcome], value: Callable[[Outcome], float]) -> float:
    return statistics.median(map(value, outcomes))


def figures(subject: Subject) -> dict[str, Any]:
    """The medians over the rounds, and each round's rate."""
    rounds = subject.outcomes
    return {
        "name": subject.name,
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


def ratios(results: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    by_name = {result["name"]: result for result in results}
    return {
        f"{one} / {other}": {
            what: round(by_name[one][what] / by_name[other][what], 2) for what in ("messages_per_s", "messages_per_core_s")
        }
        for one, other in RATIOS
        if one in by_name and other in by_name
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
    """For people to read; the table is valid Markdown."""
    lines = [table(found["results"]), ""]
    for name, values in found["ratios"].items():
        lines.append(f"{name}: {values['messages_per_s']} x the messages, {values['messages_per_core_s']} x per core")
    lines += ["", *(", ".join(f"{k} {v}" for k, v in found[part].items()) for part in ("machine", "postgresql", "load"))]
    if found["wrong"]:
        lines += ["", "The tables differ from what was acknowledged:", *found["wrong"][:20]]
    else:
        lines += ["", f"All {found['acknowledged']} messages that csms acknowledged are in the tables, each once."]
    return "\n".join(lines)


def table(results: Sequence[dict[str, Any]]) -> str:
    head = ("", "msg/s", "per core", "server µs", "PostgreSQL µs", "generator µs", "p50 ms", "p99 ms", "errors")
    keys = (
        *("name", "messages_per_s", "messages_per_core_s", "server_us_per_message", "postgres_us_per_message"),
        *("generator_us_per_message", "p50_ms", "p99_ms", "errors"),
    )
    rows = [head, *([str(result[key]) for key in keys] for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
