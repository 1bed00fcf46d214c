"""Fills the ports the core declares for bells and files."""

from csms.bells import RedisBell
from csms.files.addresses import Files
from stations import ports


def fill() -> None:
    """Called once, when Django has loaded the apps."""
    ports.bell = RedisBell()
    ports.files = Files()
