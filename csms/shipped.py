"""What a release brings as rows: its quirks, read from `csms/ocpp/quirks.json` whenever the database is migrated."""

import json
from pathlib import Path
from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps

from stations.services import quirks

FILE = Path(__file__).parent / "ocpp" / "quirks.json"


def rows() -> list[dict[str, Any]]:
    """Each with its `frame`, and what that `becomes`, which is for the tests."""
    found: list[dict[str, Any]] = json.loads(FILE.read_text())
    return found


def sync(sender: Any, *, apps: Apps = installed, verbosity: int = 1, **more: Any) -> None:
    """After `migrate`. Where it went back to before there were quirks, there is nothing to do."""
    try:
        apps.get_model("stations", "Quirk")
    except LookupError:
        return
    changed = quirks.sync(rows=rows())
    if changed and verbosity > 0:
        print(f"  Quirks of the release: {changed} brought up to date.")
