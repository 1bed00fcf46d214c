"""Twisted's reactor, on uvloop (a fifth faster than asyncio's own loop). To be imported before anything else of Twisted."""

import uvloop
from twisted.internet import asyncioreactor

loop = uvloop.new_event_loop()
asyncioreactor.install(loop)  # type: ignore[no-untyped-call]
