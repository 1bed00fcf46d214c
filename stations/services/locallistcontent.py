"""What goes onto a station's list: all of it, or what has changed since it was sent.

The list of a rule is its tokens in the order of their keys, up to one of them (`highest`), as they were at a change (`upto`). So
what differs follows from the changes since, and from how much further the list may go: no list is compared token by token.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import IdToken
from stations import locallists
from stations.models import GroupTerms, IdTokenChange, ListBook, ListMode, LocalList, LocalListEntry, LocalListRule

#: Entries that one command carries: a longer list is sent by several, so that none lasts for minutes.
BURST = 1000

#: A token as a list names it: its value without case, and its type.
Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Content:
    """`update`: "full" or "differential"; the rest is what holds once the station has taken it. `more`: it is not all yet."""

    update: str
    entries: list[dict[str, Any]]
    upto: int
    highest: int
    count: int
    left_out: int
    more: bool


def stamp(rule: LocalListRule | None) -> str:
    """By which rule a list is made; empty: by none."""
    return f"{rule.pk}.{rule.revision}" if rule else ""


class Builder:
    """Makes the contents of lists. Stations in the same position get the same, which is made once."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.made: dict[tuple[Any, ...], Content | None] = {}
        self.newest: dict[int, int] = {}
        self.terms: dict[int, list[GroupTerms]] = {}

    def newest_of(self, operator_id: int) -> int:
        if operator_id not in self.newest:
            book = ListBook.objects.filter(operator=operator_id).first()
            self.newest[operator_id] = book.newest if book else 0
        return self.newest[operator_id]

    def without(self, one: LocalList) -> frozenset[int]:
        if one.operator_id not in self.terms:
            self.terms[one.operator_id] = locallists.terms_of(one.operator_id)
        terms = self.terms[one.operator_id]
        return locallists.without(terms, one.station) if terms else frozenset()

    def of(self, one: LocalList, limit: int | None, *, full: bool = False) -> Content | None:
        """What a station must be sent to have what belongs on its list. None: nothing. `limit`: entries it can hold."""
        if one.rule is None and one.by_hand:
            return self._by_hand(one) if full or one.full else None
        newest = self.newest_of(one.operator_id)
        full = full or one.full or one.made_by != stamp(one.rule)
        without, left_off = self.without(one), locallists.left_off(one)
        key = (one.operator_id, stamp(one.rule), without, left_off, limit, full, *(() if full else (one.upto, one.highest)))
        if key not in self.made:
            tokens = locallists.tokens_of(one.rule, self.now, without, left_off)
            self.made[key] = self._full(tokens, limit, newest) if full else self._changes(one, tokens, limit, newest)
        return self.made[key]

    def _by_hand(self, one: LocalList) -> Content:
        entries = [_kept(entry) for entry in LocalListEntry.objects.filter(local_list=one)]
        return Content("full", entries, one.upto, one.highest, len(entries), 0, more=False)

    def _full(self, tokens: QuerySet[IdToken], limit: int | None, newest: int) -> Content:
        total = tokens.count()
        most = total if limit is None else min(limit, total)
        found = list(tokens[: min(most, BURST)])
        highest = found[-1].pk if found else 0
        return Content("full", _added(found), newest, highest, len(found), total - most, more=len(found) < most)

    def _changes(self, one: LocalList, tokens: QuerySet[IdToken], limit: int | None, newest: int) -> Content | None:
        since = IdTokenChange.objects.filter(operator=one.operator_id, number__gt=one.upto, number__lte=newest)
        changes = list(since.order_by("number")[: BURST + 1])
        if len(changes) != newest - one.upto:
            # Too many at once, or they are not kept any more.
            return self._full(tokens, limit, newest)
        highest, total = one.highest, tokens.count()
        most = total if limit is None else min(limit, total)
        # The last that fits; None: all do.
        last = None if most == total else (tokens.values_list("pk", flat=True)[most - 1] if most else 0)
        changed, gone = self._differing(one, tokens, changes)
        if last is not None and last < highest:
            # It has become too long for the station.
            changed = {name: token for name, token in changed.items() if token.pk <= last}
            gone |= {(token.key, token.type): token.value for token in tokens.filter(pk__gt=last, pk__lte=highest)}
            if len(gone) + len(changed) > BURST:
                return self._full(tokens, limit, newest)
            highest = last
        else:
            further = tokens.filter(pk__gt=highest)
            further = further if last is None else further.filter(pk__lte=last)
            new = list(further[: max(0, BURST - len(changed) - len(gone))])
            changed |= {(token.key, token.type): token for token in new}
            highest = new[-1].pk if new else highest
        gone = {name: value for name, value in gone.items() if name not in changed}
        if not gone and not changed:
            return None
        # What may charge no more goes first.
        removed = [{"id_token": value, "type": kind, "remove": True} for (_key, kind), value in gone.items()]
        count = tokens.filter(pk__lte=highest).count()
        entries = removed + _added(changed.values())
        return Content("differential", entries, newest, highest, count, total - most, more=count < most)

    def _differing(
        self, one: LocalList, tokens: QuerySet[IdToken], changes: list[IdTokenChange]
    ) -> tuple[dict[Name, IdToken], dict[Name, str]]:
        """Of what is on the list: the tokens to say anew, and the names (with their values) of those to take off."""
        keys = {change.value.upper() for change in changes}
        named = {(change.value.upper(), change.type) for change in changes}
        belong = {(token.key, token.type): token for token in tokens.filter(key__in=keys)}
        changed = {name: token for name, token in belong.items() if token.pk <= one.highest}
        groups = None
        if one.rule is not None and one.rule.mode == ListMode.GROUPS:
            groups = set(one.rule.group_ids)
        gone = {
            (change.value.upper(), change.type): change.value
            for change in changes
            if change.was and change.token_id <= one.highest and (groups is None or change.group_id in groups) and _listed(change)
        }
        # Those that have got another of the same value beside them, and those that have lost it.
        beside = IdToken.objects.filter(operator=one.operator_id, key__in=keys, pk__lte=one.highest)
        gone |= {(t.key, t.type): t.value for t in beside if (t.key, t.type) not in named and _listed(t)}
        return changed, {name: value for name, value in gone.items() if name not in changed}


def _listed(one: IdToken | IdTokenChange) -> bool:
    return one.type in locallists.LISTED and len(one.value) <= locallists.LONGEST


def _added(tokens: Iterable[IdToken]) -> list[dict[str, Any]]:
    groups = ((token, token.group.name if token.group else "") for token in tokens)
    return [_entry(token.value, token.type, "Accepted", token.expires_at, group) for token, group in groups]


def _kept(entry: LocalListEntry) -> dict[str, Any]:
    return _entry(entry.value, entry.type, entry.status, entry.expires_at, entry.group)


def _entry(value: str, kind: str, status: str, expires_at: datetime | None, group: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"id_token": value, "type": kind, "status": status}
    if expires_at is not None:
        entry["expires_at"] = expires_at.isoformat()
    return entry | ({"group": group} if group else {})
