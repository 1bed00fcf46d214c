"""Fills the ports the core declares for bells, files, secrets and what is done about quirks."""

from csms.bells import RedisBell
from csms.files.addresses import Files
from csms.ocpp import quirks, reading
from csms.sealing import seal, unseal
from stations import ports

PURPOSE = "station password"


class Box:
    """Seals stations' passwords until they are said."""

    def seal(self, text: str) -> str:
        return seal(text, purpose=PURPOSE)

    def unseal(self, sealed: str) -> str | None:
        return unseal(sealed, purpose=PURPOSE)


def fill() -> None:
    """Called once, when Django has loaded the apps."""
    ports.bell = RedisBell()
    ports.files = Files()
    ports.box = Box()
    ports.check_adjustments = quirks.check
    ports.sayable = reading.sayable
