"""The OpenAPI document is true: it validates, warns of nothing, and names what the lists hold."""

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone
from django_scopes import scope, scopes_disabled

from accounts import drivers
from accounts.models import IdTokenGroup
from accounts.people import invite
from billing import archives, pricepoints, rebilling
from billing.models import ChargeRecord
from csms.forwarding import keeping
from csms.forwarding import services as forwarding
from stations.domain.commands import COMMANDS, ClearCache
from stations.models import DisplayMessage
from stations.services import commandruns, localauthlist, rollouts
from tests.api.conftest import Network, Person
from tests.dashboard.chargingrows import limited
from tests.dashboard.monitoredrows import monitored
from tests.dashboard.reservationrows import made_move, made_profile, made_reservation
from tests.dashboard.rows import issued
from tests.dashboard.securityrows import secured
from tests.dashboard.signedrows import signed
from tests.firmware import made_image, made_update


def test_the_schema_is_made_without_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))
    text = file.read_text()
    assert "/api/v1/stations/{identity}/" in text
    assert "/api/v1/stations/{identity}/ocpp/{action}/" in text
    assert "ApiKey" in text


def test_the_commands_are_those_of_the_document() -> None:
    rows = (settings.BASE_DIR / "docs/api.md").read_text().partition("| command | params")[2].partition("\n\n")[0].splitlines()[2:]
    table = {line[0].strip("| `"): line[1] for line in (row.split(" | ") for row in rows)}
    assert set(table) == set(COMMANDS)
    for kind, command in COMMANDS.items():
        said = [field.name for field in fields(command) if field.name not in command.ours]
        assert [name for name in said if f"`{name}`" not in table[kind]] == [], kind


def test_rows_have_the_fields_the_schema_says(ada: Person, amber: Network) -> None:
    drivers.sign_up(email="dee@example.org", password="charge-it-all-night", operator=ada.operator)
    invite(operator=ada.operator, email="dora@example.org", role="viewer")
    update = made_update(amber.station, made_image(ada.operator))
    with scope(operator=ada.operator):
        rollouts.create(firmware=update.firmware)
        localauthlist.set_rule(operator=ada.operator, mode="valid")
        commandruns.start(operator=ada.operator, token="t", selection={"filter": {}}, command=ClearCache())
        forwarding.add(operator=ada.operator, name="Fleet", url="ws://127.0.0.1:9/")
        for made in (made_reservation, made_profile, made_move):
            made(amber.station)
        for made in (limited, monitored):
            made(amber.station)
        secured(amber.station, update.firmware)
        IdTokenGroup.objects.create(operator=ada.operator, name="FLEET")
        pricepoints.add_series(operator=ada.operator, name="Day-ahead")
        signed(amber.transaction)
        record = ChargeRecord.objects.order_by("id")[0]
        issued(record)
        archives.plan(operator=ada.operator, month=timezone.localdate(), user=ada.user)
        asked = {"since": timezone.now() - timedelta(days=1), "until": timezone.now(), "reason": "A wrong price", "token": "t"}
        rebilling.plan(operator=ada.operator, tariff=record.tariff, **asked)
        DisplayMessage.objects.create(
            operator=ada.operator, station=amber.station, number=4, content="Hello", set_at=timezone.now()
        )
    with scopes_disabled():
        keeping.match()
    schema = ada.client.get("/api/schema/", headers={"Accept": "application/json"}).json()
    shown: dict[str, set[str]] = {}
    for path, operations in schema["paths"].items():
        if "{" in path or path.endswith("/id-tags/") or re.match("/api/v1/(auth|me|charge|locations|tariffs/what-if)/", path):
            continue
        content = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        page = schema["components"]["schemas"][content["$ref"].rsplit("/", 1)[1]]
        row = schema["components"]["schemas"][page["properties"]["results"]["items"]["$ref"].rsplit("/", 1)[1]]
        found = ada.client.rows(path.removeprefix("/api/v1/"))
        shown |= {path: set(found[0]) ^ set(row["properties"]) if found else {"no row"}}
    assert {path: wrong for path, wrong in shown.items() if wrong} == {}
    assert len(shown) > 50
