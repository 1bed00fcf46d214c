"""Frames nobody should send: made from the schemas by a seed, then damaged in their values, their shape and their bytes."""

import copy
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from csms.ocpp import registry, schemas

#: What does mischief where a value is due.
JUNK: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        "",
        " ",
        [],
        {},
        [[]],
        [None],
        0,
        -1,
        1,
        2**31,
        -(2**31),
        2**63 - 1,
        -(2**63),
        10**25,
        1.5,
        -0.0,
        1e308,
        5e-324,
    ),
    *("NaN", "-1", "1,5", "1e400", "9" * 400, "null", "true", "\x00", "a\x00b", "x" * 600, "²", "٣", "é" * 60, "😀" * 30, "\u202e"),
    *("1970-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "0000-00-00T00:00:00Z", "24.12.2026 10:00", "1795262400", "12:00"),
    *(
        {"0": 1},
        {"a": {"b": {"c": []}}},
        [1, "a", None],
        "[]",
        "{}",
        '{"idTag":"CARD"}',
        "' OR 1=1 --",
        "<script>",
        "../../etc/passwd",
    ),
)
#: Bytes that mean something in a frame.
MARKS = list('{}[]",:\\0123456789.eE+-truefalsn \x00\ufeff\t\ud800é')
NUMBERS = (0, 1, 2, 3, 7, 16, 255, 256, 1000, 65_536, -1)


class Fuzzer:
    """`transactions` and `tags` are those that mean something to whoever hears it; add to them what was answered."""

    def __init__(self, seed: int, protocol: str) -> None:
        self.random = random.Random(seed)
        self.protocol = protocol
        self.known = sorted(registry.INCOMING[protocol])
        self.all = sorted(schemas.actions(protocol))
        self.transactions: list[Any] = [1, -1, 0]
        self.tags = ["CARD", "card", "", "NOBODY", "04:A1:B2:C3"]
        self.number = 0

    def frame(self) -> str:
        """One frame; what it is, the seed and its number say."""
        kinds: list[tuple[int, Callable[[], str]]] = [
            *((30, self._fitting), (35, self._damaged), (15, self._bitten), (12, self._misshapen), (8, self._answer)),
        ]
        (make,) = self.random.choices([one for _, one in kinds], [weight for weight, _ in kinds])
        # As text that a socket can carry.
        return make().encode("utf-8", "replace").decode()

    # Kinds

    def _call(self, payload: Any, action: str | None = None) -> str:
        self.number += 1
        return json.dumps([2, f"f{self.number}", action or self.action, payload])

    def _payload(self) -> Any:
        self.action = self.random.choice(self.known if self.random.random() < 0.95 else self.all)
        schema = schemas.schema(self.protocol, self.action)
        return self._value(schema, schema.get("definitions", {}), "")

    def _fitting(self) -> str:
        return self._call(self._payload())

    def _damaged(self) -> str:
        payload = self._payload()
        for _ in range(self.random.randint(1, 4)):
            payload = self._damage(payload)
        return self._call(payload)

    def _bitten(self) -> str:
        text = list(self._call(self._payload()))
        for _ in range(self.random.randint(1, 4)):
            at = self.random.randrange(len(text) + 1)
            match self.random.randrange(4):
                case 0:
                    text[at : at + 1] = []
                case 1:
                    text[at:at] = [self.random.choice(MARKS)]
                case 2:
                    text[at : at + 1] = [self.random.choice(MARKS)]
                case 3:
                    del text[at : at + self.random.randint(1, 20)]
            text = text or ["["]
        return "".join(text)

    def _misshapen(self) -> str:
        payload = self._payload()
        self.number += 1
        name = f"f{self.number}"
        return json.dumps(
            self.random.choice(
                [
                    *([2, name, self.action], [2, name, self.action, payload, payload], [2, self.number, self.action, payload]),
                    *(
                        [2, name, self.action.lower(), payload],
                        [2, name, f"{self.action}Request", [payload]],
                        ["2", name, self.action, payload],
                    ),
                    *(
                        [[2, name, self.action, payload]],
                        [2, name, self.action, json.dumps(payload)],
                        [1, name, self.action, payload],
                    ),
                    *([2, "", self.action, payload], [2, None, self.action, payload], [2, name * 20, self.action, payload]),
                    *([2, name, 7, payload], [2, name, "x" * 90, payload], [2, name, "\x00", payload], payload, [2], [], name),
                    *([6, name, self.action, payload], [2, name, {"a": 1}, payload], [2.5, name, self.action, payload]),
                ]
            )
        )

    def _answer(self) -> str:
        rest = self.random.choice([[{}], ["InternalError", "", {}], [None], [self._payload()], [], [1, 2, 3, 4]])
        return json.dumps([self.random.choice([3, 4, 5]), self.random.choice(["csms-1-1", "-1", "", 7, None]), *rest])

    # Values

    def _value(self, schema: dict[str, Any], definitions: dict[str, Any], name: str) -> Any:
        if "$ref" in schema:
            schema = definitions[schema["$ref"].removeprefix("#/definitions/")]
        pick = self.random
        if "enum" in schema:
            return pick.choice(schema["enum"])
        match schema.get("type"):
            case "object":
                needed = set(schema.get("required", []))
                properties = {
                    one: inner for one, inner in schema.get("properties", {}).items() if one in needed or pick.random() < 0.4
                }
                return {one: self._value(inner, definitions, one) for one, inner in properties.items()}
            case "array":
                return [self._value(schema["items"], definitions, name) for _ in range(pick.randint(schema.get("minItems", 0), 3))]
            case "boolean":
                return pick.random() < 0.5
            case "integer":
                return pick.choice(self.transactions) if name == "transactionId" else pick.choice(NUMBERS)
            case "number":
                return pick.choice([0, 1.5, 0.15012999999999999, -7, 1e9, 230.1])
            case "string":
                return self._text(schema, name)
        return self._junk()

    def _text(self, schema: dict[str, Any], name: str) -> str:
        pick = self.random
        if schema.get("format") == "date-time":
            return (datetime.now(UTC) - timedelta(seconds=pick.randint(-100, 10_000))).strftime("%Y-%m-%dT%H:%M:%SZ")
        if name in ("idTag", "idToken"):
            return pick.choice(self.tags)
        if name == "transactionId":
            return str(pick.choice(self.transactions))
        text = pick.choice(["1", "1500", "0.5", "abc", "", "Zürich", "x" * 20, "Acme"])
        return text[: schema.get("maxLength", 50)]

    def _junk(self) -> Any:
        return copy.deepcopy(self.random.choice(JUNK))

    # Damage

    def _damage(self, payload: Any) -> Any:
        places = list(_places(payload))
        if not places or self.random.random() < 0.05:
            return self._junk()
        holder, key = self.random.choice(places)
        value = holder[key]
        match self.random.randrange(9):
            case 0 | 1 | 2:
                holder[key] = self._junk()
            case 3:
                del holder[key]
            case 4:
                holder[key] = [value]
            case 5:
                holder[key] = {"0": value}
            case 6:
                holder[key] = value[0] if isinstance(value, list) and value else str(value)
            case 7 if isinstance(holder, dict):
                holder[self.random.choice([key.upper(), f"{key} ", "x", "customData", ""])] = holder.pop(key)
            case _:
                if isinstance(value, list):
                    holder[key] = value * self.random.randint(2, 30)
                elif isinstance(value, str):
                    holder[key] = self.random.choice([value.upper(), value * 9, f" {value}\n", value[:-1]])
        return payload


def _places(value: Any) -> Any:
    """Every place in a structure: what holds it, and where."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()):
        yield value, key
        yield from _places(inner)
