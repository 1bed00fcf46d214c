"""Payloads made from the JSON schemas of OCPP, and damage done to them as the field does it."""

import json
from typing import Any

import orjson
from hypothesis import strategies as st

#: What JSON can bring: integers of 64 bits, any finite float, text with anything but halves of characters.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.sampled_from(
    [
        "2026-11-21T10:00:00Z",
        "2026-11-21T10:00:00",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59-10:00",
        "2026-11-21T1:00:00+02",
        "?",
    ]
)
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    NUMBERS,
    NUMBERS.map(str),
    st.sampled_from(["", "NaN", "-inf", "1e400", "9" * 5000, "1,5", "\x00", "a\x00b", "x" * 600, "[]", "1" * 41, "²", "٣"]),
    TEXT,
    st.recursive(
        TEXT | NUMBERS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=5
    ),
    st.sampled_from(["[" * 50 + "]" * 50, '{"a":' * 50 + "1" + "}" * 50]).map(json.loads),
)


def payloads(schema: dict[str, Any], definitions: dict[str, Any] | None = None) -> st.SearchStrategy[Any]:
    """Payloads that fit a schema, as far as the schemas of OCPP go. `definitions`: those of the whole schema (2.0.1 has some)."""
    definitions = schema.get("definitions", {}) if definitions is None else definitions
    if "$ref" in schema:
        schema = definitions[schema["$ref"].removeprefix("#/definitions/")]
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "type" not in schema:
        return st.none() | TEXT | NUMBERS | st.lists(TEXT, max_size=2) | st.dictionaries(TEXT, NUMBERS, max_size=2)
    match schema["type"]:
        case "boolean":
            return st.booleans()
        case "number":
            return st.sampled_from([0, 1, -1, 0.15012999999999999, 1e300]) | NUMBERS
        case "integer":
            least, most = schema.get("minimum", -(2**31)), schema.get("maximum", 2**31 - 1)
            usual = st.sampled_from([one for one in (0, 1, 2, -1, 300) if least <= one <= most] or [least])
            return usual | st.integers(least, most)
        case "string" if schema.get("format") == "date-time":
            return TIMES
        case "string":
            return st.sampled_from(["", "1", "0.5", "abc", "-7.25"]) | st.text(
                st.characters(exclude_categories=["Cs"]), max_size=min(schema.get("maxLength", 30), 30)
            )
        case "array":
            return st.lists(
                payloads(schema["items"], definitions),
                min_size=schema.get("minItems", 0),
                max_size=min(schema.get("maxItems", 3), 3),
            )
        case "object":
            required = set(schema.get("required", []))
            properties = {name: payloads(inner, definitions) for name, inner in schema.get("properties", {}).items()}
            return st.fixed_dictionaries(
                {name: inner for name, inner in properties.items() if name in required},
                optional={name: inner for name, inner in properties.items() if name not in required},
            )
    raise NotImplementedError(schema)


@st.composite
def damaged(draw: st.DrawFn, schema: dict[str, Any]) -> Any:
    """A payload of the schema with up to four things done to it: put, removed, added, wrapped, emptied. Always real JSON."""
    payload = draw(payloads(schema))
    for _ in range(draw(st.integers(0, 4))):
        places = [((), None), *_places(payload)]
        path, holder = places[draw(st.integers(0, len(places) - 1))]
        if holder is None:
            if draw(st.integers(0, 9)) == 0:
                payload = draw(JUNK)
            elif isinstance(payload, dict):
                payload[draw(TEXT)] = draw(JUNK)
            continue
        last = path[-1]
        match draw(st.integers(0, 4)):
            case 0 | 1:
                holder[last] = draw(JUNK)
            case 2:
                del holder[last]
            case 3:
                holder[last] = [holder[last]] if draw(st.booleans()) else {"0": holder[last]}
            case 4:
                value = holder[last]
                holder[last] = value[0] if isinstance(value, list) and value else str(value)
    return orjson.loads(orjson.dumps(payload))


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    """Every place in a structure, with what holds it."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = []
    for step, item in steps:
        found.append(((*path, step), value))
        found += _places(item, (*path, step))
    return found
