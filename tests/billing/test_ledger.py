"""The book of charge records, as cheap with the years as it was at first."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scope

from accounts.models import Operator
from billing import ledger, tasks
from billing.models import Tariff
from stations.models import Station
from tests.billing import make

pytestmark = pytest.mark.django_db


def test_what_a_month_lacks_is_looked_up_session_by_session(station: Station, tariff: Tariff, amber: Operator) -> None:
    ended = make.transactions(station, [10_000] * 300)
    make.ended(ended[1:])
    make.transaction(station, doubt="register")
    tasks.make_charge_records()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE billing_chargerecord, stations_transaction")
        with CaptureQueriesContext(connection) as asked, scope(operator=amber):
            found = ledger.closing(make.START, make.START + timedelta(days=1))
        cursor.execute(f"EXPLAIN {asked.captured_queries[-1]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert (found.ended, found.open) == (301, 2)
    assert sorted((one.doubt, one.sessions) for one in found.missing) == [("", 1), ("register", 1)]
    assert "hashed" not in plan
    assert "Seq Scan on billing_chargerecord" not in plan
