"""OCPP 1.6 Authorize (4.1), ClearCache (5.4) and the idTagInfo that three answers carry."""

from typing import cast

from csms.ocpp import times
from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome
from stations.domain.events import Reply, TokenAnswered, TokenPresented
from stations.domain.values import AuthorizationStatus, Note, Token, TokenInfo

#: 1.6 has five statuses (7.2 AuthorizationStatus); all others are Invalid to it.
STATUSES = {
    AuthorizationStatus.ACCEPTED: "Accepted",
    AuthorizationStatus.BLOCKED: "Blocked",
    AuthorizationStatus.EXPIRED: "Expired",
    AuthorizationStatus.CONCURRENT_TX: "ConcurrentTx",
}


def id_tag_info(info: TokenInfo) -> Payload:
    answer: Payload = {"status": STATUSES.get(info.status, "Invalid")}
    if info.expires_at is not None:
        answer["expiryDate"] = times.emit(info.expires_at)
    if info.group:
        answer["parentIdTag"] = info.group
    return answer


class Authorize(Incoming):
    action = "Authorize"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> TokenPresented:
        return TokenPresented(token=Token(payload["idTag"]))

    @staticmethod
    def encode(reply: Reply) -> Payload:
        return {"idTagInfo": id_tag_info(cast(TokenAnswered, reply).info)}


class ClearCache(Outgoing):
    action = "ClearCache"
    command = commands.ClearCache

    @staticmethod
    def encode(command: commands.ClearCache, number: int, limits: dict[str, int]) -> list[Payload]:
        return [{}]

    @staticmethod
    def parse(payload: Payload) -> commands.ClearCache:
        return commands.ClearCache()

    @staticmethod
    def decode(command: commands.ClearCache, sent: Payload, answer: Payload) -> Outcome:
        return outcome(answer)
