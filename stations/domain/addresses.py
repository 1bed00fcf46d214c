"""Addresses that stations send to and fetch from, and what in them is nobody else's business."""

import re

LOCATION = re.compile(r"(?:https?|s?ftps?)://[^\s#]+\Z", re.IGNORECASE)
#: A one-time address of ours; and a login before the host.
ONE_TIME = re.compile(r"(\\?/files\\?/(?:logs|firmware)\\?/)[0-9a-f]{40}", re.IGNORECASE)
LOGIN = re.compile(r'(:\\?/\\?/)[^\s/?#"\\]*@')


def without_secrets(text: str) -> str:
    """The same with what opens an address replaced."""
    return LOGIN.sub(r"\1***@", ONE_TIME.sub(r"\1***", text))
