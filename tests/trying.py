"""How often tests try what Hypothesis makes up: all of it in `make test-long`, a part in `make test`."""

#: `tests/conftest.py` says it before the tests are read.
share = 1


def often(count: int) -> int:
    return max(count // share, 5)
