"""What meters signed, as files: the XML that the transparency software of SAFE e.V. opens, and the plain text. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from billing.signedmeter import Unreadable, plain

#: What XML cannot hold, however it is written.
IMPOSSIBLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Item:
    """`data` as the station sent it; `public_key`: DER in hex, empty if none is known."""

    transaction_id: int
    context: str
    data: str
    public_key: str


def as_xml(items: Iterable[Item]) -> bytes:
    """Not a character more than was signed stands in an element: whitespace would break the signature."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<values>"]
    for item in items:
        lines += [
            f"  <value transactionId={quoteattr(str(item.transaction_id))} context={quoteattr(item.context)}>",
            f"    {_signed(item.data)}",
            *([f'    <publicKey encoding="hex">{escape(item.public_key)}</publicKey>'] if item.public_key else []),
            "  </value>",
        ]
    return "\n".join([*lines, "</values>", ""]).encode()


def as_text(items: Iterable[Item]) -> bytes:
    """A record a line, in plain; what is no OCMF as it came."""
    return "".join(f"{_plain(item.data)[0]}\n" for item in items).encode()


def _plain(data: str) -> tuple[str, bool]:
    try:
        return plain(data), True
    except Unreadable:
        return data, False


def _signed(data: str) -> str:
    text, readable = _plain(data)
    # A bare carriage return would be read as a line feed.
    body = escape(IMPOSSIBLE.sub("\ufffd", text), {"\r": "&#13;"})
    return f'<signedData format="OCMF" encoding="plain">{body}</signedData>' if readable else f"<signedData>{body}</signedData>"
