"""A simulated station's firmware: it fetches an image by HTTP, looks at it, installs it when no car charges, and boots with it.

The version it boots with is the first that stands in the image ("2.1.0"). `Trouble` is what goes wrong.
"""

import asyncio
import contextlib
import re
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from csms.simulator.errors import SimulatorError

if TYPE_CHECKING:
    from csms.simulator.station import SimulatedStation

VERSION = re.compile(rb"\b(\d+\.\d+[\w.+-]{0,40})")
HEAD_BYTES, CHUNK_BYTES, LARGEST_BYTES = 4096, 65_536, 2**31
TIMEOUT_S = 60.0
#: How often what could not be said is said again.
SAYS, SAYS_AGAIN_S = 60, 1.0


class Trouble(StrEnum):
    """What goes wrong with an update. OLD: it comes back with the version it had; NEVER: it does not come back."""

    NONE = "none"
    DOWNLOAD = "download"
    SIGNATURE = "signature"
    INSTALL = "install"
    NEVER = "never"
    OLD = "old"


@dataclass(frozen=True, slots=True)
class Request:
    """What the CSMS asked for. `signed`: with a signature, which is looked at."""

    location: str
    request_id: int | None = None
    signed: bool = False


@dataclass(slots=True)
class Updater:
    """`trouble` befalls the next update, and each after it. `asked` holds all that was asked for, in order."""

    station: "SimulatedStation"
    trouble: Trouble = Trouble.NONE
    fetch_s: float = 0.0
    install_s: float = 0.0
    reboot_s: float = 0.0
    asked: list[Request] = field(default_factory=list)
    running: "asyncio.Task[None] | None" = None

    def take(self, request: Request) -> bool:
        """Note what is asked for. True if an update that ran is given up for it."""
        self.asked.append(request)
        gives_up = self.running is not None and not self.running.done()
        if gives_up and self.running is not None:
            self.running.cancel()
        return gives_up

    async def run(self) -> None:
        """What follows the answer to the newest request."""
        self.running = asyncio.current_task()
        request, station = self.asked[-1], self.station
        station.tell(f"fetches firmware from {request.location.partition('?')[0]}")
        await self._say("Downloading", request)
        try:
            head = await asyncio.to_thread(fetch, request.location, half=self.trouble is Trouble.DOWNLOAD)
        except (OSError, ValueError) as error:
            station.tell(f"firmware could not be fetched: {error}")
            await self._say("DownloadFailed", request)
            return
        await asyncio.sleep(self.fetch_s)
        await self._say("Downloaded", request)
        if request.signed:
            if self.trouble is Trouble.SIGNATURE:
                await self._say("InvalidSignature", request)
                return
            await self._say("SignatureVerified", request)
        while any(connector.transaction for connector in station.connectors):
            await asyncio.sleep(0.1)
        await self._say("Installing", request)
        await asyncio.sleep(self.install_s)
        if self.trouble in (Trouble.INSTALL, Trouble.SIGNATURE):
            await self._say("InstallationFailed", request)
            return
        await self._say("InstallRebooting", request)
        found = VERSION.search(head)
        if self.trouble is not Trouble.OLD and found:
            station.firmware_version = found[1].decode()
        await self._reboot()
        if self.trouble in (Trouble.NONE, Trouble.DOWNLOAD):
            await self._say("Installed", request)

    async def _reboot(self) -> None:
        station = self.station
        station.gone = self.trouble is Trouble.NEVER
        await station.restart(self.reboot_s)

    async def _say(self, status: str, request: Request) -> None:
        """Tell how far it is, again if the line is down just now. What the version has no word for is not told."""
        for _ in range(SAYS):
            call = self.station.dialect.firmware_status(status, request)
            if call is None:
                return
            with contextlib.suppress(SimulatorError):
                await self.station.call(call)
                return
            await asyncio.sleep(SAYS_AGAIN_S)


def fetch(location: str, *, half: bool = False) -> bytes:
    """Get a file as a station does, in pieces, and return how it begins. `half`: the line breaks on the way."""
    if not location.startswith(("http://", "https://")):
        raise ValueError(f"this station fetches by HTTP only, not from {location[:60]}")
    # No proxy: what a station is given it can reach.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(location, timeout=TIMEOUT_S) as answer:
        head, size = answer.read(HEAD_BYTES), 0
        if half:
            raise OSError("the line broke")
        while chunk := answer.read(CHUNK_BYTES):
            size += len(chunk)
            if size > LARGEST_BYTES:
                raise OSError("the image is too large for this station")
        return bytes(head)
