"""A row of the wall's work list."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Task:
    """`key` is unique on the list; `slug` names the colour and the shape. `step` leads to `to`; if `post`, by a button."""

    key: str
    slug: str
    name: str
    url: str
    reason: str
    since: datetime | None
    step: str = ""
    to: str = ""
    post: bool = False
