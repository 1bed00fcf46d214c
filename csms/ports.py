"""Fills the ports the core declares for bells."""

from csms.bells import RedisBell
from stations import ports


def fill() -> None:
    """Called once, when Django has loaded the apps."""
    ports.bell = RedisBell()
