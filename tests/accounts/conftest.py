"""These tests say "the only operator there is"."""

from tests.dashboard.conftest import quick_passwords
from tests.empty import empty_database

__all__ = ["empty_database", "quick_passwords"]
