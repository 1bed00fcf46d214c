"""Which tariff sessions have, and why, in a sentence each: what their charge records kept, else what would be applied."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django_scopes import scopes_disabled

from accounts.models import IdTokenGroup
from billing import choosing, sentences, tariff
from billing.models import ChargeRecord
from stations.cases import of_token
from stations.models import Transaction


@dataclass(frozen=True, slots=True)
class Explained:
    """`place` ("evse", "station", "site", else the network) and `audience`: to what the tariff is assigned; `until`: it was, until
    then, and the session started before. `version` None: its
    record is of before there were versions. `sentence`: the price as drivers read it. `billed`: its charge record says so.

    `payer`: as whom it charges, as noted when that was first known ("ad_hoc", "tag", "driver"), and the name of the `group` then
    (empty: it is gone). None: it was not noted, or in none. `changed`: the id tag is another's or in another group now.
    """

    tariff: int
    name: str
    version: int | None
    place: str
    audience: str
    until: datetime | None
    sentence: str
    billed: bool
    payer: str | None
    group: str | None
    changed: bool


def explain(transactions: Iterable[Transaction], records: Mapping[int, ChargeRecord]) -> dict[int, Explained]:
    """Of transactions, which have their station and id token read with them, by primary key; `records`: theirs, with their tariff.

    None of those without a tariff. A query, and four when prices have changed; one more where somebody charges as one of a group.
    """
    found = list(transactions)
    groups = _groups(found)
    book = choosing.Book({one.operator_id for one in found if one.pk not in records})
    said: dict[Any, str] = {}
    explained = {}
    for one in found:
        if (record := records.get(one.pk)) is not None:
            number = record.choice.get("version")
            key: Any = (record.tariff_id, number) if number else ("record", record.pk)
            if key not in said:
                said[key] = _sentence(record.tariff_snapshot)
            told = record.choice
            place, audience, until = told.get("place", ""), told.get("audience", ""), told.get("until")
            ended = datetime.fromisoformat(until) if until else None
            applied = record.tariff_id, record.tariff.name, number, place, audience, ended, said[key], True
            explained[one.pk] = Explained(*applied, *_noted(one, groups))
        elif (chosen := book.choose(choosing.case_of(one))) is not None:
            version = chosen.version
            key = (version.tariff_id, version.number)
            if key not in said:
                said[key] = sentences.sentence(book.read(chosen))
            chosen_as = version.number, chosen.place, chosen.audience, chosen.until
            explained[one.pk] = Explained(
                version.tariff_id, version.tariff.name, *chosen_as, said[key], False, *_noted(one, groups)
            )
    return explained


def _groups(transactions: Iterable[Transaction]) -> dict[int, str]:
    """The names of the groups as one of which somebody charges."""
    pks = {one.payer_group for one in transactions if one.payer_group is not None}
    if not pks:
        return {}
    # Keyed by sessions that the caller was allowed to see; they may belong to several operators (a superuser's page).
    with scopes_disabled():
        return dict(IdTokenGroup.objects.filter(pk__in=pks).values_list("pk", "name"))


def _noted(one: Transaction, groups: Mapping[int, str]) -> tuple[str | None, str | None, bool]:
    if not one.payer:
        return None, None, False
    group = None if one.payer_group is None else groups.get(one.payer_group, "")
    return one.payer, group, (one.payer, one.payer_group) != of_token(one.id_token)


def _sentence(snapshot: Mapping[str, Any]) -> str:
    """Of a tariff as a record kept it; empty if it cannot be read without prices that are not in it."""
    try:
        return sentences.sentence(tariff.parse(snapshot))
    except tariff.InvalidTariff:
        return ""
