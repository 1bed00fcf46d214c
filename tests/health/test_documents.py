"""What the documents and the rules say of the metrics is so."""

import re
from typing import Any

import yaml
from django.conf import settings

import csms.api.drivers.live
import csms.asgi
import csms.metrics.pulse  # noqa: F401  (with the one above, all that a web process counts)
from csms import health
from csms.metrics import page, tables
from csms.metrics.meters import METERS

OPERATIONS = settings.BASE_DIR / "docs/operations.md"
RULES = settings.BASE_DIR / "deploy/prometheus-alerts.yaml"


def described() -> dict[str, tuple[str, set[str]]]:
    """Name to type and labels, as the document has them."""
    lines = re.findall(r"^\| `(csms_\w+)` \| (\w+) \| ([\w, ]*)\|", OPERATIONS.read_text(), re.MULTILINE)
    return {name: (kind, {one.strip() for one in labels.split(",") if one.strip()}) for name, kind, labels in lines}


def test_every_metric_is_described_as_it_is() -> None:
    made = {meter.name: (meter.kind, set(meter.labels)) for meter in METERS.values()}
    made |= {name: ("gauge", set(labels)) for name, (_, labels) in tables.GAUGES.items()}
    made |= {name: ("counter", set(labels)) for name, (_, labels) in tables.COUNTERS.items()}
    made[page.SILENT[0]] = ("gauge", set())
    assert described() == made


def test_every_part_is_described(committed: None) -> None:
    section = OPERATIONS.read_text().split("| part in `/readyz`")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)) == {part.name for part in health.parts()}


def rules() -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_alerts_ask_for_what_there_is() -> None:
    kinds = {name: kind for name, (kind, _) in described().items()}
    series = {f"{name}{end}" for name, kind in kinds.items() if kind == "histogram" for end in ("_bucket", "_sum", "_count")}
    series |= {name for name, kind in kinds.items() if kind != "histogram"}
    asked = {name for rule in rules() for name in re.findall(r"\bcsms_\w+", rule["expr"])}
    assert asked - series == set()
    assert {"csms_ready", "csms_message_seconds_bucket"} <= asked


def test_the_alerts_select_by_labels_that_there_are() -> None:
    for rule in rules():
        for series, selector in re.findall(r"\b(csms_\w+)\{([^}]*)\}", rule["expr"]):
            _, labels = described()[re.sub(r"_(bucket|sum|count)$", "", series)]
            assert set(re.findall(r"(\w+)[!=]", selector)) <= labels | {"process"}, rule["alert"]


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in rules()}) == len(rules())
    for rule in rules():
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert all(rule["annotations"][one] for one in ("summary", "remedy"))
