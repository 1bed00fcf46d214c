"""Which stations a quirk is about, by what they say of themselves. Pure."""

import re
from typing import NamedTuple

PARTS = re.compile(r"\d+|[a-z]+")


class Make(NamedTuple):
    """What a station says of itself when it boots."""

    vendor: str = ""
    model: str = ""
    firmware: str = ""


class About(NamedTuple):
    """What a quirk is about. A vendor or model may end in "*"; empty is any. The firmware from and to belong to it."""

    vendor: str = ""
    model: str = ""
    firmware_from: str = ""
    firmware_to: str = ""

    def fits(self, make: Make) -> bool:
        if not (named(self.vendor, make.vendor) and named(self.model, make.model)):
            return False
        if not (self.firmware_from or self.firmware_to):
            return True
        version = ordered(make.firmware)
        # Of a station that does not tell its version nobody knows whether it is among them.
        return bool(version) and ordered(self.firmware_from) <= version and (
            not self.firmware_to or version <= ordered(self.firmware_to)
        )  # fmt: skip


def named(pattern: str, said: str) -> bool:
    """Whether a name is meant, without case and blanks around it."""
    pattern, said = pattern.strip().casefold(), said.strip().casefold()
    return not pattern or said == pattern or (pattern.endswith("*") and said.startswith(pattern[:-1]))


def ordered(version: str) -> tuple[tuple[int, int, str], ...]:
    """A version so that versions compare as they were made: 1.10 after 1.9, 1.5.2 after 1.5, 2.0 after 2.0-rc1 or 2.0b."""
    parts = PARTS.findall(version.lower()[:100])
    # Letters come before the end (`rc`), and the end before numbers. Longer numbers than any version has are cut.
    return (*((2, int(one[:12]), "") if one.isdigit() else (0, 0, one) for one in parts), (1, 0, "")) if parts else ()
