"""What is done in the process that renders live pages (`csms.renderer`): each function returns what it says and the seconds of CPU
that it took."""

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import TypeVar

from django.db import connections

from accounts.models import User
from csms.dashboard import fragments
from csms.dashboard.fragments import Fragment, Known
from csms.tenancy import scope_of

T = TypeVar("T")
#: Fragments as JSON, by their id: made once, however many pages they go to.
Texts = dict[str, str]
#: Of so many feeds it is remembered what they were offered; one that is forgotten is offered more than has changed.
MOST_FEEDS = 200

_known: OrderedDict[str, Known] = OrderedDict()


def texts(user: User, render: Callable[..., list[Fragment]], *arguments: object) -> tuple[Texts, float]:
    """The fragments, as this person may see them."""
    return _counted(user, lambda: {fragment["id"]: json.dumps(fragment) for fragment in render(*arguments)})


def news(user: User, feed: str, render: Callable[..., list[Fragment]], *arguments: object) -> tuple[Texts, float]:
    """The same, of a function that takes last what the feed was offered before."""
    return texts(user, render, *arguments, _known_to(feed))


def moved(user: User, feed: str, stations: Collection[int]) -> tuple[list[int], float]:
    """Those of these chargers whose state the feed was not offered yet."""
    return _counted(user, lambda: fragments.moved(stations, _known_to(feed)))


def _counted(user: User, func: Callable[[], T]) -> tuple[T, float]:
    began = time.thread_time()
    try:
        with scope_of(user):
            return func(), time.thread_time() - began
    finally:
        connections.close_all()


def _known_to(feed: str) -> Known:
    found = _known.setdefault(feed, Known())
    _known.move_to_end(feed)
    while len(_known) > MOST_FEEDS:
        _known.popitem(last=False)
    return found
