"""OCPP 2.0.1 Authorize (C01, C07), ClearCache (C11) and the idTokenInfo that two answers carry."""

from typing import cast

from csms.ocpp import certificates, costs, times
from csms.ocpp.translator import Incoming, Outgoing, Payload
from csms.ocpp.verdicts import outcome
from stations.domain import commands
from stations.domain.commands import Outcome
from stations.domain.events import Reply, TokenAnswered, TokenPresented
from stations.domain.values import FurtherToken, Note, Token, TokenInfo

#: So many of the identifiers that come with a token are kept; the schema has no bound.
MOST_FURTHER = 8


def token_of(payload: Payload) -> Token:
    further = payload.get("additionalInfo", ())[:MOST_FURTHER]
    return Token(payload["idToken"], payload["type"], tuple(FurtherToken(one["additionalIdToken"], one["type"]) for one in further))


def id_token_info(info: TokenInfo) -> Payload:
    answer: Payload = {"status": info.status.value}
    if info.expires_at is not None:
        answer["cacheExpiryDateTime"] = times.emit(info.expires_at)
    if info.priority is not None:
        answer["chargingPriority"] = info.priority
    if info.evses:
        answer["evseId"] = list(info.evses)
    if info.language:
        answer["language1"] = info.language
    if info.group:
        answer["groupIdToken"] = {"idToken": info.group, "type": "Central"}
    if info.message is not None:
        answer["personalMessage"] = costs.content(info.message)
        if info.message.others:
            answer["customData"] = {
                "vendorId": costs.LANGUAGES,
                "personalMessageExtra": [costs.content(other) for other in info.message.others],
            }
    return answer


class Authorize(Incoming):
    action = "Authorize"

    @staticmethod
    def decode(payload: Payload, notes: list[Note]) -> TokenPresented:
        named = tuple(certificates.hash_of(one) for one in payload.get("iso15118CertificateHashData", ()))
        return TokenPresented(token_of(payload["idToken"]), payload.get("certificate", ""), named)

    @staticmethod
    def encode(reply: Reply) -> Payload:
        answer = cast(TokenAnswered, reply)
        told: Payload = {"idTokenInfo": id_token_info(answer.info)}
        return told | ({"certificateStatus": answer.certificate_status} if answer.certificate_status else {})


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
