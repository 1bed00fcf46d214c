"""Chapter D: the list of tokens a station keeps."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from stations.domain.command import BadCommand, Command, need_list, need_number, need_one_of, need_text, need_time

#: Entries that one command may name; whole lists follow from the network's rule, in pieces.
MOST_NAMED = 1000
#: Types a list may hold. A key code is a secret, which a list would spread.
TYPES = ("Central", "eMAID", "ISO14443", "ISO15693", "Local", "MacAddress")
STATUSES = (
    *("Accepted", "Blocked", "ConcurrentTx", "Expired", "Invalid", "NoCredit", "NotAllowedTypeEVSE", "NotAtThisLocation"),
    *("NotAtThisTime", "Unknown"),
)
PARTS = {"id_token", "type", "status", "expires_at", "group", "remove"}


@dataclass(frozen=True, slots=True)
class SendLocalList(Command):
    """Give a station its list of tokens (OCPP 2.0.1 D01, 1.6 5.15).

    Without `entries`: what the network's rule says; `update` "full" sends all of it, "" what differs. With them: exactly these,
    [{"id_token", "type"?, "status"?, "expires_at"?, "group"?} or {"id_token", "type"?, "remove": true}]; "full" makes them the
    whole list, "differential" changes it. `version` and `chunks` (how many entries go into each message, whose versions count
    up) are given when it is written.
    """

    update: str = ""
    entries: list[dict[str, Any]] | None = None
    version: int | None = None
    chunks: list[int] | None = None
    kind: ClassVar[str] = "send_local_list"
    expires_s: ClassVar[int] = 24 * 3600
    ours: ClassVar[frozenset[str]] = frozenset({"version", "chunks"})

    def check(self) -> None:
        need_one_of("update", self.update, ("", "full", "differential"))
        if self.version is not None:
            # 0 says that there is no list (OCPP 2.0.1 D02, 1.6 5.10).
            need_number("version", self.version, 1, 2**31 - 1)
        if self.entries is None:
            if self.update == "differential":
                raise BadCommand("A differential update needs entries; leave update out to bring the list in step.")
            return
        need_list("entries", self.entries)
        if self.update == "":
            raise BadCommand("Entries need an update: full, to make them the whole list, or differential, to change it.")
        if len(self.entries) > MOST_NAMED:
            raise BadCommand("entries may name %(most)s id tags at most: send the others with another one.", most=MOST_NAMED)
        if self.update == "differential" and not self.entries:
            raise BadCommand("A differential update without entries changes nothing.")
        named = set()
        for one in self.entries:
            _check_entry(one, self.update)
            name = (one["id_token"].upper(), one.get("type") or "ISO14443")
            if name in named:
                raise BadCommand("%(tag)s is named twice.", tag=one["id_token"])
            named.add(name)

    def fixed(self, facts: dict[str, Any]) -> Self:
        return replace(self, **facts.get("list", {}))


def _check_entry(one: Any, update: str) -> None:
    if not isinstance(one, dict) or (unknown := one.keys() - PARTS):
        known = ", ".join(sorted(PARTS))
        what = ", ".join(sorted(unknown)) if isinstance(one, dict) else type(one).__name__
        raise BadCommand("An entry is an object with %(known)s, without %(what)s.", known=known, what=what)
    need_text("id_token", one.get("id_token"), 36)
    # Tags are compared in capitals, of which some letters have two.
    need_text("id_token", one["id_token"].upper(), 36)
    need_one_of("type", one.get("type", "ISO14443"), TYPES)
    if one.get("remove", False) is not False:
        if one["remove"] is not True:
            raise BadCommand("remove must be true or be left out.")
        if update == "full":
            raise BadCommand("A full update says what is on the list: leave out what shall be removed.")
        return
    need_one_of("status", one.get("status", "Accepted"), STATUSES)
    if one.get("group") is not None:
        need_text("group", one["group"], 36)
    if one.get("expires_at") is not None:
        need_time("expires_at", one["expires_at"])


@dataclass(frozen=True, slots=True)
class GetLocalListVersion(Command):
    """Ask for the version of the list a station keeps (OCPP 2.0.1 D02, 1.6 5.10)."""

    kind: ClassVar[str] = "get_local_list_version"
    expires_s: ClassVar[int] = 24 * 3600


ALL: tuple[type[Command], ...] = (SendLocalList, GetLocalListVersion)
