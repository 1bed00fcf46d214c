"""Whatever happens to tags, stations and messages, in any order: in the end a station's list is what belongs there.

Tags come, go, are blocked, renamed and given groups; a station refuses, falls silent, loses its list, boots; the rule changes, and
how much fits. Then everything comes to rest, and the station has exactly the tags of the rule, as far as they fit, and we know it.
"""

from typing import Any

import pytest
from django_scopes import scope, scopes_disabled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import services as accounts
from accounts.models import IdToken, IdTokenGroup
from stations.models import Variable
from stations.services import localauthlist
from tests.engine import Engine
from tests.network import Network
from tests.stations.asking import PROTOCOLS, boot, connected
from tests.stations.listing import Keeper, list_of, rule, run, settle, there, wanted

COMMON = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": list(HealthCheck)}
FEW = settings(max_examples=6, **COMMON)
MANY = settings(max_examples=300, **COMMON)

CARDS = st.sampled_from(["A", "B", "C", "D", "E"])
STEPS = st.one_of(
    st.tuples(st.just("add"), CARDS, st.sampled_from(["ISO14443", "ISO14443", "ISO14443", "ISO15693", "Central"])),
    st.tuples(st.just("remove"), CARDS),
    st.tuples(st.just("status"), CARDS, st.sampled_from(["Accepted", "Blocked"])),
    st.tuples(st.just("group"), CARDS, st.sampled_from(["Staff", "Others", ""])),
    st.tuples(st.just("rename"), CARDS, CARDS),
    st.tuples(st.just("refuse"), st.sampled_from(["Failed", "VersionMismatch", None, "lost"])),
    st.tuples(st.just("forget")),
    st.tuples(st.just("boot")),
    st.tuples(st.just("fits"), st.integers(1, 4)),
    st.tuples(st.just("items"), st.integers(1, 3)),
    st.tuples(st.just("rule"), st.sampled_from(["valid", "valid", "groups", "off"])),
    st.tuples(st.just("job")),
    st.tuples(st.just("work")),
)


class Story:
    def __init__(self, network: Network, protocol: str) -> None:
        self.network = network
        self.engine = Engine(protocol)
        self.keeper = Keeper(self.engine, connected(network, self.engine))
        with scope(operator=network.operator):
            self.staff = IdTokenGroup.objects.create(operator=network.operator, name="Staff")
        there(self.keeper.station)
        rule(network)

    def play(self, step: tuple[Any, ...]) -> None:
        with scope(operator=self.network.operator):
            getattr(self, step[0])(*step[1:])

    def tokens(self, value: str) -> list[IdToken]:
        return list(IdToken.objects.filter(operator=self.network.operator, key=value))

    def add(self, value: str, kind: str) -> None:
        if not any(token.type == kind for token in self.tokens(value)):
            accounts.add_id_token(operator=self.network.operator, value=value, type=kind)

    def remove(self, value: str) -> None:
        for token in self.tokens(value)[:1]:
            accounts.delete_id_token(token=token)

    def status(self, value: str, status: str) -> None:
        for token in self.tokens(value):
            accounts.change_id_token(token=token, status=status)

    def group(self, value: str, group: str) -> None:
        for token in self.tokens(value):
            accounts.change_id_token(token=token, group=group)

    def rename(self, value: str, to: str) -> None:
        for token in self.tokens(value)[:1]:
            if not any(other.type == token.type for other in self.tokens(to)):
                accounts.change_id_token(token=token, value=to)

    def refuse(self, status: str | None) -> None:
        self.keeper.refuses.append(status)

    def forget(self) -> None:
        """It loses its list, which it tells by the version after its boot."""
        self.keeper.version, self.keeper.entries = 0, {}
        self.boot()

    def boot(self) -> None:
        boot(self.engine, self.keeper.station)

    def fits(self, most: int) -> None:
        self.told("LocalAuthListMaxLength", most)

    def items(self, most: int) -> None:
        self.told("SendLocalListMaxLength", most)

    def told(self, name: str, value: int) -> None:
        station = self.keeper.station
        natural = {"operator": station.operator, "station": station, "component": "", "variable": name}
        Variable.objects.update_or_create(**natural, defaults={"value": str(value)})

    def rule(self, mode: str) -> None:
        groups = [self.staff] if mode == "groups" else []
        localauthlist.set_rule(operator=self.network.operator, mode=mode, groups=groups)

    def job(self) -> None:
        run(self.network)

    def work(self) -> None:
        self.keeper.work()

    def end(self) -> None:
        """Everything comes to rest. How much fits is only looked at when something is sent, so a last tag comes."""
        self.keeper.refuses.clear()
        with scope(operator=self.network.operator):
            accounts.add_id_token(operator=self.network.operator, value="LAST", group="Staff")
        settle(self.network, self.keeper)
        one = list_of(self.keeper.station)
        assert one.state in ("in_step", "off"), (one.state, one.error)
        belongs = wanted(self.keeper.station)
        assert len(self.keeper.values) == one.count == len(belongs) - one.left_out
        assert set(self.keeper.values) <= set(belongs)
        assert one.limit is None or one.rule is None or len(self.keeper.values) == min(one.limit, len(belongs))
        assert one.version in (self.keeper.version, 0) or one.state == "off"
        for value, info in self.keeper.entries.items():
            with scopes_disabled():
                token = IdToken.objects.select_related("group").get(
                    operator=self.network.operator, value=value, status="Accepted", type__in=("ISO14443", "ISO15693")
                )
            said = info.get("parentIdTag") or info.get("groupIdToken", {}).get("idToken")
            assert said == (token.group.name if token.group else None)


def played(steps: list[tuple[Any, ...]], protocol: str) -> None:
    story = Story(Network(), protocol)
    for step in steps:
        story.play(step)
    story.end()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_in_the_end_the_list_is_what_belongs_there(protocol: str, network: Network) -> None:
    @FEW
    @given(steps=st.lists(STEPS, max_size=25))
    def check(steps: list[tuple[Any, ...]]) -> None:
        played(steps, protocol)

    check()


@pytest.mark.long
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_in_the_end_the_list_is_what_belongs_there_whatever_one_thinks_of(protocol: str, network: Network) -> None:
    @MANY
    @given(steps=st.lists(STEPS, max_size=40))
    def check(steps: list[tuple[Any, ...]]) -> None:
        played(steps, protocol)

    check()
