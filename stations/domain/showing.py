"""What a station can show its drivers, read from its settings."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

#: Components, and keys of 1.6, that say it.
COMPONENTS = ("TariffCostCtrlr", "DisplayMessageCtrlr", "CustomizationCtrlr")
KEYS = (
    *("CustomDisplayCostAndPrice", "CustomIdleFeeAfterStop", "CustomMultiLanguageMessages"),
    *("SupportedLanguages", "Language", "NumberOfDecimalsForCostValues"),
)
#: Vendors of conventions, as CustomizationCtrlr.CustomImplementationEnabled and the messages name them.
COST_MESSAGES = "org.openchargealliance.costmsg"
LANGUAGES = "org.openchargealliance.multilanguage"
#: Further languages of a text, at most.
MOST_LANGUAGES = 4

#: A setting: component, variable, the variable's instance, value, and the list of its values.
Setting = tuple[str, str, str, str | None, str]


@dataclass(frozen=True, slots=True)
class Showing:
    """`price`, `cost`: said with answers, and costs by CostUpdated (2.x); `messages`: both by vendor messages (1.6). `explained`:
    costs with the convention's data. `after_stop`: a session costs until the cable is out. `texts`: whether it takes a text in
    several languages, `languages` those it knows and `language` its own; `decimals` those of an amount; `currency` what it says
    amounts are in; `display`: it keeps messages for its display.
    """

    price: bool = False
    cost: bool = False
    messages: bool = False
    explained: bool = False
    after_stop: bool = False
    texts: bool = False
    language: str = ""
    languages: tuple[str, ...] = ()
    currency: str = ""
    decimals: int | None = None
    display: bool = False

    @classmethod
    def of(cls, settings: Iterable[Setting]) -> Self | None:
        """None: it shows nothing of ours. What is not said to be enabled is not, unless it is said to be available only."""
        known: dict[tuple[str, str, str], tuple[str, str]] = {}
        for component, variable, instance, value, values in settings:
            known[component.lower(), variable.lower(), instance.lower()] = (value or "").strip(), values

        def text(component: str, variable: str, instance: str = "") -> str:
            return known.get((component.lower(), variable.lower(), instance.lower()), ("", ""))[0]

        def on(component: str, variable: str, instance: str = "") -> bool:
            return text(component, variable, instance).lower() == "true"

        def enabled(component: str, instance: str = "") -> bool:
            said = text(component, "Enabled", instance)
            return said.lower() == "true" if said else on(component, "Available", instance)

        def custom(vendor: str) -> bool:
            return on("CustomizationCtrlr", "CustomImplementationEnabled", vendor)

        messages = on("", "CustomDisplayCostAndPrice")
        listed = known.get(("displaymessagectrlr", "language", ""), ("", ""))[1] or text("", "SupportedLanguages")
        decimals = text("", "NumberOfDecimalsForCostValues") or text("TariffCostCtrlr", "NumberOfDecimalsForCostValues")
        found = cls(
            price=enabled("TariffCostCtrlr", "Tariff"),
            cost=enabled("TariffCostCtrlr", "Cost"),
            messages=messages,
            explained=messages or custom(COST_MESSAGES),
            after_stop=messages and on("", "CustomIdleFeeAfterStop"),
            texts=on("", "CustomMultiLanguageMessages") if messages else custom(LANGUAGES),
            language=text("DisplayMessageCtrlr", "Language") or text("", "Language"),
            languages=tuple(one for part in listed.split(",") if (one := part.strip()))[: 1 + MOST_LANGUAGES],
            currency=text("TariffCostCtrlr", "Currency").upper(),
            decimals=int(decimals) if decimals in tuple("012345") else None,
            display=enabled("DisplayMessageCtrlr"),
        )
        return found if found.price or found.cost or found.messages or found.display else None

    @property
    def priced(self) -> bool:
        return self.price or self.cost or self.messages


def matters(component: str, variable: str) -> bool:
    """Whether a setting is one of those."""
    return component in COMPONENTS or (not component and variable in KEYS)
