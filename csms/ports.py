"""Fills the ports the core declares for bells, files and what is done about quirks."""

from csms.bells import RedisBell
from csms.files.addresses import Files
from csms.ocpp import quirks
from stations import ports


def fill() -> None:
    """Called once, when Django has loaded the apps."""
    ports.bell = RedisBell()
    ports.files = Files()
    ports.check_adjustments = quirks.check
