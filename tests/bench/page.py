"""The figures of a run, or of several, as a page of the documentation: `python -m tests.bench.page bench.json` writes it into docs.

A picture shows how far each figure is on its way: 1 is what must be, and the mark is the aim.
"""

import json
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


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
