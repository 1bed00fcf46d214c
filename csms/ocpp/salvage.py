"""Frames that are nearly JSON: what stations of the field leave out or put in too much, put right where it can mean one thing only.

Bounded and linear, since anybody may send anything. A number that may have been cut is never completed. Field cases:
lbbrhzn/ocpp#2032 (a value left out), lbbrhzn/ocpp#1078 (a comma too many), lbbrhzn/ocpp#442 (the end left out).
"""

import json
import re
from typing import Any

import orjson

#: Longer texts are read only if what is wrong stands around them or in their characters.
LONGEST = 16_384
#: A byte order mark, the end of a C string, blanks.
AROUND = "\ufeff\x00 \t\r\n"
# A text is passed over, ended or not, so that every position is looked at once.
PIECES = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|:(?=\s*[,}\]])|([\[{])(?:\s*,)+|,(?=\s*[,}\]])', re.DOTALL)
OUTSIDE = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[^\[\]{}"]+', re.DOTALL)
CLOSERS = {"[": "]", "{": "}"}


def read(text: str) -> tuple[Any, str] | None:
    """What a text means that is no JSON, and in words what was wrong with it. None: it cannot be understood."""
    wrong = []
    clean = text.strip(AROUND)
    if clean != text.strip():
        wrong.append("there were characters around it")
    found = _loaded(clean)
    if found is None and clean.startswith("[") and len(clean) <= LONGEST:
        mended = PIECES.sub(_piece, clean)
        if mended != clean:
            wrong.append("a value was left out or a comma was too many")
        whole = _closed(mended)
        if whole != mended:
            wrong.append("its end was missing")
        found = _loaded(whole)
    if found is None:
        return None
    return found, f"The frame was no JSON: {' and '.join(wrong) or 'it had characters or numbers that JSON has not'}."


def _piece(match: re.Match[str]) -> str:
    piece = match[0]
    if piece[0] == '"':
        return piece
    if match[1]:
        return match[1]
    return ":null" if piece == ":" else ""


def _closed(text: str) -> str:
    """With the brackets that are missing at the end, if it ends with one: else something may have been cut in two."""
    if text[-1:] not in ("]", "}"):
        return text
    due: list[str] = []
    for bracket in OUTSIDE.sub("", text):
        if bracket in CLOSERS:
            due.append(CLOSERS[bracket])
        elif not due or due.pop() != bracket:
            return text
    return text + "".join(reversed(due))


def _loaded(text: str) -> Any:
    """With control characters in its texts, halves of characters (they become "?"), NaN and Infinity (they become null)."""
    try:
        loose = json.loads(text, strict=False, parse_constant=lambda _name: None)
        # Once more, so that numbers are as in any other frame.
        return orjson.loads(json.dumps(loose, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None
