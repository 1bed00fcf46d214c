"""The findings of some chargers as a text for their vendor's engineers: to be read as it is, or put into a ticket.

Always in English, since it leaves the house; without secrets, which the message log never held, and without id tags.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.utils import translation

from csms.dashboard import findingwords
from csms.ocpp.masking import masked, without_tags
from stations import quality
from stations.models import Station
from stations.quality import Asked, Example, Row

#: Rules in one report, and the frames of each.
MOST_CODES, FRAMES = 50, 3
LONGEST_FRAME = 20_000
DAY = "%Y-%m-%d"


def filename(text: str) -> str:
    """What every system takes for the name of a file."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")[:100] or "findings"


def pretty(frame: str) -> str:
    """JSON on lines of its own; what is none as it is."""
    try:
        return orjson.dumps(orjson.loads(frame), option=orjson.OPT_INDENT_2).decode()[:LONGEST_FRAME]
    except orjson.JSONDecodeError:
        return frame[:LONGEST_FRAME]


def report(asked: Asked, now: datetime) -> str:
    """A section for each rule, the most widespread first; at most three queries and a few for each."""
    today = now.date()
    with translation.override("en"):
        of_all = Asked("code", asked.code, asked.station, asked.vendor, asked.model, asked.firmware)
        found = quality.rows(of_all, today, most=MOST_CODES, trends=False)[:MOST_CODES]
        by_firmware = quality.rows(_by_firmware(of_all), today, most=quality.MOST * 10, trends=False)
        if not found:
            return f"# OCPP findings: none within the 30 days before {today.isoformat()}\n"
        lines = [*_head(asked, now), *(f"- [{findingwords.words(row.code).title}](#{row.code})" for row in found), ""]
        for row in found:
            lines += _section(row, [one for one in by_firmware if one.code == row.code], asked, now)
        return "\n".join(lines) + "\n"


def _by_firmware(asked: Asked) -> Asked:
    return Asked("firmware", asked.code, asked.station, asked.vendor, asked.model, asked.firmware)


def _head(asked: Asked, now: datetime) -> list[str]:
    about = [("Vendor", asked.vendor), ("Model", asked.model), ("Firmware", asked.firmware), ("Station", asked.station)]
    return [
        "# OCPP findings",
        "",
        f"Made on {now.strftime(DAY)}, of the 30 days before. Counts are by day (UTC). Secrets and id tags are masked in frames.",
        "",
        *(f"- {word}: {value}" for word, value in about if value),
        "",
        "## Rules",
        "",
    ]


def _section(row: Row, firmware: Sequence[Row], asked: Asked, now: datetime) -> Iterator[str]:
    words, did = findingwords.words(row.code), findingwords.did(row.code)
    of_code = Asked("code", row.code, asked.station, asked.vendor, asked.model, asked.firmware)
    stations: list[Station] = [one["station"] for one in quality.stations_of(of_code, now.date())]
    first, last = quality.seen(row.code, stations)
    yield from ("", f'## <a id="{row.code}"></a>{words.title} (`{row.code}`)', "")
    told = [("The rule", words.says), ("Source", words.source), ("What the server did", did), ("What to change", words.change)]
    yield from (f"- {name}: {text}" for name, text in told if text)
    yield f"- Stations: {row.stations}; times within 7 days: {row.week}, within 30 days: {row.month}"
    if first and last:
        yield f"- First seen {first.strftime(DAY)}, last seen {last.strftime('%Y-%m-%dT%H:%M:%SZ')}"
    yield from ("", "| vendor | model | firmware | stations | 7 days | 30 days |", "|---|---|---|---|---|---|")
    for one in firmware:
        cells: list[Any] = [*(_cell(part) for part in one.key), one.stations, one.week, one.month]
        yield f"| {' | '.join(map(str, cells))} |"
    for example in quality.examples(row.code, stations, most=FRAMES):
        yield from _example(example)


def _example(example: Example) -> Iterator[str]:
    finding, message = example.finding, example.message
    station = finding.station
    about = [station.identity, station.serial_number, station.firmware_version]
    yield from ("", f"### {finding.last_at.strftime('%Y-%m-%dT%H:%M:%SZ')}, {', '.join(_cell(one) for one in about if one)}", "")
    if finding.subject:
        yield f"At `{without_tags(finding.subject).replace('`', '')}`:"
    if finding.detail:
        yield without_tags(finding.detail[:600]).replace("\n", " ")
    if message is None:
        yield from ("", "The frame is not kept any more.")
        return
    for title, frame in (("Sent by the station", message.call), ("Answered", message.answer)):
        if frame:
            # Five ticks: a frame may hold three.
            yield from ("", f"{title}:", "", "`````json", pretty(without_tags(masked(frame))), "`````")


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ") or "unknown"
