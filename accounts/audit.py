"""The audit: every change that people and programs make, told by the service that makes it.

A service calls `record` in the transaction of the change. Who is acting is known from the request, the command or the job,
which say so once with `acting`.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.utils import timezone

from accounts.models import AuditEntry, Operator, User

#: Fields whose value is never kept, wherever they stand.
SECRET = ("password", "secret", "token_hash", "digest", "key_hash", "sent_hash", "new_hash")
LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is acting. `user` None: the system itself, as `label` says."""

    user: User | None
    label: str
    via: str


SYSTEM = Actor(None, "system", "job")
_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


def current() -> Actor:
    return _actor.get()


@contextmanager
def acting(user: User | None, *, via: str, label: str = "") -> Iterator[None]:
    """What happens within is this person's doing, or without one that of what `label` says, via "page", "api", "shell" or "job"."""
    before = _actor.set(Actor(user, label or (user.email if user else "system"), via))
    try:
        yield
    finally:
        _actor.reset(before)


def entry(
    action: str,
    subject: models.Model | None = None,
    *,
    operator: Operator | int,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    label: str = "",
    note: str = "",
) -> AuditEntry | None:
    """A change, not written down yet. None: nothing differs. The arguments are those of `record`."""
    actor = current()
    old, new = dict(before or {}), dict(after or {})
    same = {name for name in old.keys() & new.keys() if old[name] == new[name]}
    if old and new and not (old.keys() | new.keys()) - same:
        return None
    return AuditEntry(
        operator_id=operator if isinstance(operator, int) else operator.pk,
        at=timezone.now(),
        actor=actor.user,
        actor_label=actor.label[:254],
        via=actor.via,
        action=action,
        object_type=subject._meta.model_name or "" if subject is not None else "",
        object_id="" if subject is None else str(subject.pk),
        object_label=(label or ("" if subject is None else str(subject)))[:255],
        before=plain({name: value for name, value in old.items() if name not in same}),
        after=plain({name: value for name, value in new.items() if name not in same}),
        note=note[:300],
    )


def record(
    action: str,
    subject: models.Model | None = None,
    *,
    operator: Operator | int,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    label: str = "",
    note: str = "",
) -> None:
    """Write down a change, in the transaction of the caller. `before` and `after`: plain values by field; equal ones are left out.

    Of a thing that came, `before` is empty; of one that went, `after`. A change that changes nothing is none.
    """
    made = entry(action, subject, operator=operator, before=before, after=after, label=label, note=note)
    if made is not None:
        made.save(force_insert=True)


def record_all(entries: Iterable[AuditEntry | None]) -> None:
    """Write down many changes at once, as `entry` made them."""
    AuditEntry._base_manager.bulk_create([one for one in entries if one is not None])


def fields_of(subject: models.Model, *names: str) -> dict[str, Any]:
    """The fields of a row, to be given as `before` or `after`; of a relation, the text of what it leads to."""
    values = {name: getattr(subject, name) for name in names}
    return {name: str(value) if isinstance(value, models.Model) else value for name, value in values.items()}


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON holds them, bounded, secrets masked; times in UTC."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if any(secret in name.lower() for secret in SECRET):
            found[name] = "***" if value else value
        elif value is None or isinstance(value, bool | int | float):
            found[name] = value
        elif isinstance(value, datetime):
            found[name] = value.astimezone(UTC).isoformat()
        elif isinstance(value, list | tuple | set | frozenset):
            found[name] = _text("; ".join(_said(one) for one in value))
        else:
            found[name] = _text(_said(value))
    return found


def _said(value: Any) -> str:
    """A group of values by name as its parts, without those that say nothing."""
    if not isinstance(value, Mapping):
        return str(value)
    return ", ".join(f"{name}: {part}" for name, part in plain(value).items() if part not in (None, ""))


def _text(text: str) -> str:
    # PostgreSQL holds no NUL, not even in JSON.
    return text.replace("\x00", "")[:LONGEST_TEXT]
