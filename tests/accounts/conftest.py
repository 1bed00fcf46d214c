"""These tests say "the only operator there is"."""

from tests.empty import empty_database

__all__ = ["empty_database"]
