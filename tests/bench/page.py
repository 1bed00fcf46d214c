"""The figures of a run, or of several, as a page of the documentation: `python -m tests.bench.page bench.json` writes it into docs.

A picture shows how far each figure is on its way: 1 is what must be, and the mark is the aim. Another one shows how p99 grows with
the rate, where that was measured.
"""

import json
import math
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from tests.bench import report

DOCS = Path(__file__).resolve().parents[2] / "docs"
NAME = "benchmark"
ROW, LABEL, WIDTH, MOST = 26, 430, 300, 3.0


def main(sources: Sequence[Path]) -> None:
    runs = [json.loads(source.read_text()) for source in sources]
    asked = [figure for run in runs for figure in run["figures"] if figure["must"] is not None]
    (DOCS / "images" / f"{NAME}.svg").write_text(picture(asked))
    for run in runs:
        if "ramp" in run["details"]:
            (DOCS / "images" / f"{NAME}-ramp.svg").write_text(curves(run["details"]["ramp"]))
    (DOCS / f"{NAME}.md").write_text(page(runs))


def page(runs: Sequence[dict[str, Any]]) -> str:
    machine, postgresql = runs[0]["machine"], runs[0]["postgresql"]
    wrong = sum(len(run["wrong"]) for run in runs)
    lines = [
        "# The benchmark's figures",
        "",
        "Made by `python -m tests.bench.page`; [Performance](performance.md) says what is measured and how.",
        "",
        f"Machine: {machine['cores']} shared cores, {machine['memory_gib']} GiB, {machine['system']}, Python {machine['python']}, "
        f"PostgreSQL {postgresql['server_version'].split()[0]} (fsync: {postgresql['fsync']}, synchronous_commit: "
        f"{postgresql['synchronous_commit']}) on the same machine.",
        f"All {sum(run['acknowledged'] for run in runs):,} messages that were acknowledged are in the tables, each once."
        if not wrong
        else f"**{wrong} differences between what was acknowledged and the tables.**",
        "",
        "What depends on the machine is also given scaled to one whose bare echo does 70,000 messages a second: on such a one must",
        "and aim are to hold.",
        "",
        "![How far each figure is: a bar for each, 1 is what must be, a mark shows the aim](images/benchmark.svg)",
        "",
    ]
    for run in runs:
        options = run["options"]
        lines += [
            f'`make bench ARGS="{" ".join(options["what"])} --rounds {options["rounds"]} --seconds {options["seconds"]:g}'
            + (f" --samples {options['samples']}" if "growth" in options["what"] else "")
            + '"`:',
            "",
            report.table(report.rows(run)),
            "",
        ]
        if "ramp" in run["details"]:
            lines += ["![How p99 grows with the rate, for both servers and versions](images/benchmark-ramp.svg)", ""]
    return "\n".join(lines)


def progress(figure: dict[str, Any], value: float) -> float:
    """How far a value is on its way: 1 is the must, and more is better, whichever way the figure counts."""
    share = value / figure["must"] if figure["limit"] == ">=" else figure["must"] / max(value, figure["must"] / MOST, 1e-9)
    return min(max(share, 0.0), MOST)


def picture(figures: list[dict[str, Any]]) -> str:
    height = ROW * (len(figures) + 1)
    scale = WIDTH / MOST
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LABEL + WIDTH + 90} {height}"',
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="100%" height="{height}" fill="#fff"/>',
    ]
    for number, figure in enumerate(figures):
        top, far = ROW * number + 6, progress(figure, figure["value"] if figure["scaled"] is None else figure["scaled"])
        colour = {"aim": "#0f7a4f", "must": "#8a5a00", "missed": "#b3261e"}[figure["verdict"]]
        aim = LABEL + scale * progress(figure, figure["aim"])
        value = f"{figure['value']:g} {figure['unit']}"
        parts += [
            f'<text x="{LABEL - 8}" y="{top + 13}" text-anchor="end" fill="#1c2024">{escape(figure["what"])}</text>',
            f'<rect x="{LABEL}" y="{top}" width="{scale * far:.1f}" height="{ROW - 10}" fill="{colour}"/>',
            f'<line x1="{aim:.1f}" x2="{aim:.1f}" y1="{top - 3}" y2="{top + ROW - 7}" stroke="#1c2024" stroke-width="2"/>',
            f'<text x="{LABEL + WIDTH + 6}" y="{top + 13}" fill="#1c2024">{escape(value)}</text>',
        ]
    must = LABEL + scale
    parts += [
        f'<line x1="{must}" x2="{must}" y1="0" y2="{height - ROW}" stroke="#1c2024" stroke-dasharray="3 3"/>',
        f'<text x="{must}" y="{height - 8}" text-anchor="middle" fill="#1c2024">must</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def curves(ramps: dict[str, list[dict[str, float]]]) -> str:
    """p99 in milliseconds (by powers of ten) over messages a second, a line for each server and version."""
    width, height, left, top = 640, 300, 76, 14
    most = max(step["rate"] for course in ramps.values() for step in course)

    def at(rate: float, p99_ms: float) -> str:
        up = math.log10(min(max(p99_ms, 1.0), 10_000.0)) / 4
        return f"{left + width * rate / most:.1f},{top + height * (1 - up):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 30} {height + 60}" font-family="sans-serif"',
        ' font-size="12">',
        f'<rect width="100%" height="{height + 60}" fill="#fff"/>',
    ]
    for p99_ms in (1, 10, 100, 1_000, 10_000):
        x, y = at(0, p99_ms).split(",")
        parts.append(f'<line x1="{x}" x2="{left + width}" y1="{y}" y2="{y}" stroke="#d5d9de"/>')
        parts.append(f'<text x="{left - 6}" y="{float(y) + 4:.1f}" text-anchor="end" fill="#1c2024">{p99_ms:,} ms</text>')
    for rate in range(0, int(most) + 1, 1_000):
        x = at(rate, 1).split(",")[0]
        parts.append(f'<text x="{x}" y="{top + height + 18}" text-anchor="middle" fill="#1c2024">{rate:,}</text>')
    parts.append(f'<text x="{left + width}" y="{top + height + 34}" text-anchor="end" fill="#1c2024">messages a second</text>')
    strokes = ("#1f5fbf", "#0f7a4f", "#8a5a00", "#b3261e")
    for number, ((name, course), stroke) in enumerate(zip(ramps.items(), strokes, strict=False)):
        points = " ".join(at(step["rate"], step["p99_ms"]) for step in course)
        x, y = 20 + 165 * number, top + height + 50
        parts += [
            f'<polyline points="{points}" fill="none" stroke="{stroke}" stroke-width="2"/>',
            f'<line x1="{x}" x2="{x + 20}" y1="{y - 4}" y2="{y - 4}" stroke="{stroke}" stroke-width="3"/>',
            f'<text x="{x + 26}" y="{y}" fill="#1c2024">{escape(name)}</text>',
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
