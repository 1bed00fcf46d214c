"""Chapter I: what it costs, for the display. Money is a decimal as text, tax included, in the station's currency."""

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from stations.domain.command import BadCommand, Command, need_list, need_number, need_one_of, need_text, need_time
from stations.domain.commands.displaymessage import LONGEST, need_language

#: What energy does while it costs.
STATES = ("Charging", "Idle")
#: What a price is for, as the cost messages call it.
PRICES = ("kWhPrice", "hourPrice", "flatFee", "idleHourPrice")
MOST_TEXTS = 4


def need_money(name: str, value: Any) -> None:
    try:
        right = isinstance(value, str) and len(value) <= 20 and Decimal(value).is_finite()
    except InvalidOperation:
        right = False
    if not right:
        raise BadCommand('%(name)s must be an amount as text, such as "3.20".', name=name)


def need_texts(value: Any) -> None:
    """[{"language", "content"}, ...]: the same in other languages."""
    need_list("texts", value)
    if len(value) > MOST_TEXTS:
        raise BadCommand("texts can be %(most)s at most.", most=MOST_TEXTS)
    for one in value:
        if not isinstance(one, dict) or set(one) != {"language", "content"} or one["language"] is None:
            raise BadCommand('texts must be a list of objects such as {"language": "de", "content": ...}.')
        need_language(one["language"])
        need_text("content", one["content"], LONGEST)


@dataclass(frozen=True, slots=True)
class CostUpdated(Command):
    """Tell the driver what a running transaction costs so far (OCPP 2.0.1 I02; 1.6: RunningCost of the cost messages).

    `at`, `meter_wh` (the register, in Wh), `state` ("Charging" or "Idle") and `prices` ({"kWhPrice", "hourPrice",
    "flatFee", "idleHourPrice"}, as text) explain the cost: 1.6 cannot do without; 2.0.1 says them (`explained`) to stations
    that know the cost messages.
    """

    transaction: str
    cost: str
    at: str | None = None
    meter_wh: int | None = None
    state: str = "Charging"
    prices: dict[str, Any] = field(default_factory=dict)
    explained: bool = False
    kind: ClassVar[str] = "cost_updated"
    expires_s: ClassVar[int] = 60

    def check(self) -> None:
        need_text("transaction", self.transaction, 36)
        need_money("cost", self.cost)
        need_one_of("state", self.state, STATES)
        if self.at is not None:
            need_time("at", self.at)
        if self.meter_wh is not None:
            need_number("meter_wh", self.meter_wh, 0, 2**53)
        if not isinstance(self.prices, dict) or self.prices.keys() - set(PRICES):
            raise BadCommand("prices must be an object with %(names)s.", names=", ".join(PRICES))
        for name, price in self.prices.items():
            need_money(name, price)
        if not isinstance(self.explained, bool):
            raise BadCommand("explained must be true or false.")
        if self.explained and self.at is None:
            raise BadCommand("A cost that is explained needs the time it is of: at.")


@dataclass(frozen=True, slots=True)
class TellFinalCost(Command):
    """Tell the driver what a transaction cost that has ended (1.6: FinalCost of the cost messages; 2.x answers its end)."""

    transaction: str
    cost: str
    text: str = ""
    texts: list[dict[str, Any]] = field(default_factory=list)
    kind: ClassVar[str] = "final_cost"
    expires_s: ClassVar[int] = 600

    def check(self) -> None:
        need_text("transaction", self.transaction, 36)
        need_money("cost", self.cost)
        if self.text:
            need_text("text", self.text, LONGEST)
        need_texts(self.texts)


@dataclass(frozen=True, slots=True)
class TellPrice(Command):
    """Tell a driver what charging costs (1.6: SetUserPrice of the cost messages; 2.x says it with the authorisation)."""

    id_token: str
    text: str
    texts: list[dict[str, Any]] = field(default_factory=list)
    kind: ClassVar[str] = "set_user_price"
    expires_s: ClassVar[int] = 60

    def check(self) -> None:
        need_text("id_token", self.id_token, 36)
        need_text("text", self.text, LONGEST)
        need_texts(self.texts)


ALL: tuple[type[Command], ...] = (CostUpdated, TellFinalCost, TellPrice)
