"""The same for drivers, as `tests/api/test_openapi_bounds.py`."""

from typing import Any

import pytest

from tests.api.drivers.conftest import Driver
from tests.api.drivers.test_openapi import ask, existing
from tests.api.test_openapi import EVERY, Phase, drivers_document, examples, unbounded

__all__ = ["existing", "unbounded"]
pytestmark = pytest.mark.long


@drivers_document.parametrize()
@examples(EVERY, phases=[Phase.explicit])
def test_every_operation_of_drivers_answers_as_the_document_says(case: Any, dee: Driver, existing: dict[str, str]) -> None:
    ask(case, dee, existing)
