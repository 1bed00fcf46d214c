"""What tests of local lists share: a station that keeps one, as its version of OCPP wants it, and may refuse or fall silent."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django_scopes import scope, scopes_disabled

from csms.ocpp.errands import Errand
from stations import locallists
from stations.models import Connection, LocalList, Station
from stations.services import localauthlist, locallistwork
from tests.engine import Engine
from tests.network import Network

Entries = dict[str, dict[str, Any]]


@dataclass
class Keeper:
    """`refuses`: statuses with which its next SendLocalLists are answered; None: it does not answer, though it took it. `lost`: nor
    did it take it.
    """

    engine: Engine
    station: Station
    version: int = 0
    entries: Entries = field(default_factory=dict)
    refuses: list[str | None] = field(default_factory=list)
    #: What it was asked: the action, and of a list its update and how many entries.
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    supports: bool = True
    #: Its configuration, as far as it has any: 1.6's keys, or the variables of 2.x by their names.
    told: dict[str, str] = field(default_factory=dict)

    @property
    def values(self) -> list[str]:
        return sorted(self.entries)

    def work(self) -> int:
        """Answer all that waits for it; returns how many commands."""
        done = 0
        while errands := self.engine.claim(self.station):
            for errand in errands:
                self.engine.reply(self.station, errand, *self.answers(errand))
                done += 1
        return done

    def variable(self, name: str) -> dict[str, str]:
        if name not in self.told:
            return {"attributeStatus": "UnknownVariable"}
        return {"attributeStatus": "Accepted", "attributeValue": self.told[name]}

    def answers(self, errand: Errand) -> list[Any]:
        answers: list[Any] = []
        for payload in errand.calls:
            answers.append(self.answer(errand.action, payload))
            if answers[-1] is None or (errand.action == "SendLocalList" and answers[-1] != {"status": "Accepted"}):
                break
        return answers

    def answer(self, action: str, payload: dict[str, Any]) -> Any:
        old = self.engine.protocol == "ocpp1.6"
        if action == "GetConfiguration":
            return {
                "configurationKey": [
                    {"key": key, "readonly": True, "value": self.told[key]} for key in payload["key"] if key in self.told
                ]
            }
        if action == "GetVariables":
            return {"getVariableResult": [one | self.variable(one["variable"]["name"]) for one in payload["getVariableData"]]}
        name = "listVersion" if old else "versionNumber"
        if action == "GetLocalListVersion":
            self.asked.append((action,))
            return {name: self.version if self.supports else -1}
        assert action == "SendLocalList", action
        told = payload.get("localAuthorizationList", [])
        self.asked.append((payload["updateType"], len(told)))
        if not self.supports:
            return {"status": "NotSupported"} if old else ["NotImplemented", ""]
        status = self.refuses.pop(0) if self.refuses else "Accepted"
        if status == "lost":
            return None
        if status not in (None, "Accepted"):
            return {"status": status}
        if payload["updateType"] == "Differential" and payload[name] <= self.version:
            return {"status": "VersionMismatch"}
        if payload["updateType"] == "Full":
            self.entries.clear()
        for one in told:
            value = one["idTag"] if old else one["idToken"]["idToken"]
            info = one.get("idTagInfo" if old else "idTokenInfo")
            if info is None:
                self.entries.pop(value, None)
            else:
                self.entries[value] = info
        self.version = payload[name]
        return None if status is None else {"status": "Accepted"}


def rule(network: Network, mode: str = "valid", **options: Any) -> None:
    with scope(operator=network.operator):
        localauthlist.set_rule(operator=network.operator, mode=mode, **options)


def there(station: Station) -> None:
    """It was heard just now."""
    with scopes_disabled():
        Connection.objects.filter(station=station).update(seen_at=datetime.now(UTC))


def run(network: Network) -> int:
    """The job, for this network: other tests' lists are left alone."""
    with scopes_disabled():
        locallistwork.hear()
        return locallistwork.of_operator(operator_id=network.operator.pk)


def settle(network: Network, *keepers: Keeper, rounds: int = 30) -> None:
    """Let the job and the stations work until nothing is left to do, whatever pauses there are."""
    for keeper in keepers:
        there(keeper.station)
    for _round in range(rounds):
        hurry(*keepers)
        wrote = run(network)
        if not sum(keeper.work() for keeper in keepers) and not wrote:
            return
    raise AssertionError("the lists never came to rest")


def hurry(*keepers: Keeper) -> None:
    """Pauses are over."""
    with scopes_disabled():
        stations = [keeper.station.pk for keeper in keepers]
        LocalList.objects.filter(station__in=stations, due_at__isnull=False).update(due_at=datetime.now(UTC))


def list_of(station: Station) -> LocalList:
    with scopes_disabled():
        return LocalList.objects.select_related("rule").get(station=station)


def wanted(station: Station) -> list[str]:
    """What belongs on its list, without regard to how much fits."""
    with scopes_disabled():
        return sorted(token.value for token in locallists.tokens_of(list_of(station).rule, datetime.now(UTC)))
