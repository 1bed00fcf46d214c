"""What the OpenAPI document allows and forbids at its bounds, parameter by parameter; always the same.

The examples are made while tests are collected, which takes longer than to try them: `make test` leaves this file out
(`tests/conftest.py`).
"""

from typing import Any

import pytest
import schemathesis

from tests.api.conftest import Person
from tests.api.test_openapi import EVERY, Phase, ask, document, examples, existing, one_connection, unbounded

__all__ = ["existing", "one_connection", "unbounded"]
pytestmark = pytest.mark.long


@document.parametrize()
@examples(EVERY, phases=[Phase.explicit])
def test_every_operation_answers_as_the_document_says(case: schemathesis.Case, ada: Person, existing: dict[str, Any]) -> None:
    ask(case, ada, existing)
