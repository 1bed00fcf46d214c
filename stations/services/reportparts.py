"""Reports that are asked for in several requests, since a station takes only so many variables in one (OCPP 2.0.1 B08 and N02,
ItemsPerMessage and BytesPerMessage). Each request has a number of its own; they are one report.
"""

from typing import Any

import orjson
from django.db import connection

from stations.domain.commands import ReportOfSome
from stations.models import Station, Variable

#: What a request needs beside its variables, and a variable more on the wire than in the command, in bytes.
AROUND, EACH = 300, 80
#: Of which message the limits count, the best last: stations tell that of GetReport, whose list of variables is the same.
MESSAGES = {"get_report": ("GetReport",), "get_monitoring_report": ("GetReport", "GetMonitoringReport")}
NUMBERS = "SELECT nextval(pg_get_serial_sequence('stations_command', 'id')) FROM generate_series(1, %s)"


def counts(station: Station, command: ReportOfSome) -> list[int]:
    """How many of the variables go into each request. One count or none: it is one request."""
    messages = MESSAGES[command.kind]
    named = Variable.objects.filter(station=station, variable_instance__in=messages, attribute="Actual", known=True)
    named = named.filter(variable__in=("ItemsPerMessage", "BytesPerMessage"))
    told = sorted(named.values_list("variable_instance", "variable", "value"), key=lambda one: messages.index(one[0]))
    said = {variable: value for _message, variable, value in told}
    limits = {name: max(1, int(value or 0)) for name, value in said.items() if (value or "").isdecimal() and len(value or "") < 10}
    most, most_bytes = limits.get("ItemsPerMessage"), limits.get("BytesPerMessage")
    found: list[int] = []
    size = 0
    for one in command.variables:
        needs = len(orjson.dumps(one)) + EACH
        full = not found or found[-1] == most or (most_bytes is not None and AROUND + size + needs > most_bytes)
        if full:
            found.append(0)
            size = 0
        found[-1] += 1
        size += needs
    return found


def numbers(count: int) -> list[int]:
    """Keys that no command will have: their numbers are free."""
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, [count])
        return [row[0] for row in cursor.fetchall()]


def of(parts: list[list[Any]], request_id: int) -> list[Any] | None:
    """The further request of this number."""
    return next((part for part in parts if part[0] == request_id), None)
