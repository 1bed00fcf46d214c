"""Which tariff sessions have, and why, in a sentence each: what their charge records kept, else what would be applied now."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from billing import choosing, sentences, tariff
from billing.models import ChargeRecord
from stations.models import Transaction


@dataclass(frozen=True, slots=True)
class Explained:
    """`place` ("evse", "station", "site", else the network) and `audience`: to what the tariff is assigned. `version` None: its
    record is of before there were versions. `sentence`: the price as drivers read it. `billed`: its charge record says so."""

    tariff: int
    name: str
    version: int | None
    place: str
    audience: str
    sentence: str
    billed: bool


def explain(transactions: Iterable[Transaction], records: Mapping[int, ChargeRecord]) -> dict[int, Explained]:
    """Of transactions, which have their station and id token read with them, by primary key; `records`: theirs, with their tariff.

    None of those without a tariff. A query, and three when prices have changed.
    """
    found = list(transactions)
    book = choosing.Book({one.operator_id for one in found if one.pk not in records})
    said: dict[Any, str] = {}
    explained = {}
    for one in found:
        if (record := records.get(one.pk)) is not None:
            number = record.choice.get("version")
            key: Any = (record.tariff_id, number) if number else ("record", record.pk)
            if key not in said:
                said[key] = _sentence(record.tariff_snapshot)
            place, audience = record.choice.get("place", ""), record.choice.get("audience", "")
            explained[one.pk] = Explained(record.tariff_id, record.tariff.name, number, place, audience, said[key], billed=True)
        elif (chosen := book.choose(choosing.case_of(one))) is not None:
            version = chosen.version
            key = (version.tariff_id, version.number)
            if key not in said:
                said[key] = sentences.sentence(book.read(chosen))
            explained[one.pk] = Explained(
                version.tariff_id, version.tariff.name, version.number, chosen.place, chosen.audience, said[key], billed=False
            )
    return explained


def _sentence(snapshot: Mapping[str, Any]) -> str:
    """Of a tariff as a record kept it; empty if it cannot be read without prices that are not in it."""
    try:
        return sentences.sentence(tariff.parse(snapshot))
    except tariff.InvalidTariff:
        return ""
