"""For tests that count on being alone: what socket tests committed earlier in the run is out of sight."""

import pytest
from django.db import connection

from accounts.models import Operator
from csms import shipped
from stations.services import quirks


@pytest.fixture(autouse=True)
def empty_database(db: None) -> None:
    """Within the test's transaction, which is rolled back."""
    if Operator.objects.exists():
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE accounts_operator, accounts_user CASCADE")
        # What the release brings belongs to no operator, but stood in a table of theirs.
        quirks.sync(rows=shipped.rows())
