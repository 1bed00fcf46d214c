"""A simulated OCPP 2.0.1 station as a local controller: it fetches firmware, compares it, and says where it hands it on."""

import asyncio
import hashlib
import urllib.request
from typing import Any, cast

from ocpp.v201 import call, call_result
from ocpp.v201.enums import Action

from csms.simulator.answering import AnsweringLink, answers
from csms.simulator.firmware import CHUNK_BYTES, LARGEST_BYTES, TIMEOUT_S

#: Where the stations behind it would fetch a file.
BEHIND = "http://192.168.1.1/firmware"


class Publishing201(AnsweringLink):
    @answers(Action.publish_firmware)
    def on_publish_firmware(self, location: str, checksum: str, request_id: int, **_: Any) -> Any:
        self.then(self._publish(location, checksum.lower(), request_id))
        return call_result.PublishFirmware("Accepted")

    @answers(Action.unpublish_firmware)
    def on_unpublish_firmware(self, checksum: str, **_: Any) -> Any:
        there = checksum.lower() in self._published()
        self._published().discard(checksum.lower())
        return call_result.UnpublishFirmware(cast(Any, "Unpublished" if there else "NoFirmware"))

    def _published(self) -> set[str]:
        """What the station hands on, by its MD5 checksum, whatever becomes of this line."""
        found: set[str] = self.station.__dict__.setdefault("published", set())
        return found

    async def _publish(self, location: str, checksum: str, request_id: int) -> None:
        async def tell(status: str, where: list[str] | None = None) -> None:
            await self.station.call(call.PublishFirmwareStatusNotification(cast(Any, status), where, request_id))

        await tell("Downloading")
        try:
            found = await asyncio.to_thread(md5_of, location)
        except (OSError, ValueError) as error:
            self.station.tell(f"firmware to publish could not be fetched: {error}")
            return await tell("DownloadFailed")
        await tell("Downloaded")
        if found != checksum:
            return await tell("InvalidChecksum")
        await tell("ChecksumVerified")
        self._published().add(checksum)
        await tell("Published", [f"{BEHIND}/{checksum}.bin"])


def md5_of(location: str) -> str:
    """Fetch a file over HTTP and return its checksum."""
    if not location.startswith(("http://", "https://")):
        raise ValueError(f"this station fetches by HTTP only, not from {location[:60]}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    digest, size = hashlib.md5(usedforsecurity=False), 0
    with opener.open(location, timeout=TIMEOUT_S) as answer:
        while chunk := answer.read(CHUNK_BYTES):
            digest.update(chunk)
            if (size := size + len(chunk)) > LARGEST_BYTES:
                raise OSError("the image is too large for this station")
    return digest.hexdigest()
