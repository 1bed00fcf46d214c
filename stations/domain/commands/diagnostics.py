"""Chapter N: logs."""

from dataclasses import dataclass
from typing import Any, ClassVar

from stations.domain.addresses import LOCATION, without_secrets
from stations.domain.command import BadCommand, Command, moment_of, need_number, need_one_of

#: How often, and after how many seconds, a station tries again to send a log, unless somebody says otherwise.
RETRIES, RETRY_INTERVAL_S = 3, 60


@dataclass(frozen=True, slots=True)
class GetLog(Command):
    """Send a log to an address (OCPP 2.0.1 N01): "diagnostics" or "security", from `since` to `until` (ISO 8601) if they are given.

    Without a `location` it is sent to us. `upload` is the row that follows it. `retries`: how often the station tries again to send
    it, each time after `retry_interval_s`; None: as it likes.
    """

    log: str = "diagnostics"
    since: str | None = None
    until: str | None = None
    location: str = ""
    upload: int | None = None
    retries: int | None = RETRIES
    retry_interval_s: int | None = RETRY_INTERVAL_S
    kind: ClassVar[str] = "get_log"
    verb: ClassVar[str] = "logs.fetch"
    expires_s: ClassVar[int] = 24 * 3600
    ours: ClassVar[frozenset[str]] = frozenset({"upload"})

    def check(self) -> None:
        need_one_of("log", self.log, ("diagnostics", "security"))
        moments = [moment_of(name, text) for name, text in (("since", self.since), ("until", self.until)) if text is not None]
        if len(moments) == 2 and moments[0] >= moments[1]:
            raise BadCommand("since must be before until.")
        for name, number in (("retries", self.retries), ("retry_interval_s", self.retry_interval_s)):
            if number is not None:
                need_number(name, number, 0, 86_400)
        if not isinstance(self.location, str) or len(self.location) > 512:
            raise BadCommand("location must be an address of at most 512 characters.")
        if self.location and not LOCATION.match(self.location):
            raise BadCommand("location must be an address such as https://files.example.com/logs/ or one of ftp, ftps or sftp.")

    def without_secrets(self) -> dict[str, Any]:
        return self.params() | {"location": without_secrets(self.location)}


ALL: tuple[type[Command], ...] = (GetLog,)
