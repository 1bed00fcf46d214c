"""The ledger of what was acknowledged, held against the tables: nothing acknowledged may be missing, and nothing doubled."""

from collections.abc import Iterable, Mapping

from django.db.models import Count, F, QuerySet
from django_scopes import scopes_disabled

from stations.models import MessageLogEntry, MeterSample, Station, StatusHistory, Transaction
from tests.bench import traffic
from tests.bench.load import Entry

#: How the ids of transactions begin that were put into the tables by hand.
FILLED = "old-"


def add(total: dict[str, Entry], more: Mapping[str, Entry]) -> None:
    """The ledgers of several runs, as one."""
    for identity, entry in more.items():
        known = total.setdefault(identity, Entry(protocol=entry.protocol))
        known.transactions += entry.transactions
        known.acknowledged = [a + b for a, b in zip(known.acknowledged, entry.acknowledged, strict=True)]


def differences(ledger: Mapping[str, Entry]) -> list[str]:
    """A sentence for each station and table that does not hold exactly what was acknowledged, after a run that lost no answers."""
    with scopes_disabled():
        ids = dict(Station.objects.filter(identity__in=ledger).values_list("identity", "pk"))
        stored = {
            "log rows": _counts(MessageLogEntry.objects.filter(direction="in", outcome="result"), ids.values()),
            "samples": _counts(MeterSample.objects.all(), ids.values()),
            "status rows": _counts(StatusHistory.objects.all(), ids.values()),
            "ended transactions": _counts(Transaction.objects.filter(status="ended", doubt=""), ids.values()),
        }
        transactions: dict[int, list[str]] = {}
        for pk, ocpp_id in Transaction.objects.filter(station__in=ids.values()).values_list("station_id", "ocpp_transaction_id"):
            transactions.setdefault(pk, []).append(ocpp_id)
    found = []
    for identity, entry in ledger.items():
        pk, acknowledged = ids[identity], entry.acknowledged
        expected = {
            "log rows": sum(acknowledged),
            "samples": sum(acknowledged[kind] for kind in traffic.MIXES[entry.protocol].sampled),
            "status rows": acknowledged[traffic.STATUS],
            "ended transactions": acknowledged[traffic.STOP],
        }
        for what, count in expected.items():
            kept = stored[what].get(pk, 0) - entry.filled.get(what, 0)
            if kept != count:
                found.append(f"{identity}: {count} {what} were acknowledged, {kept} are stored.")
        if sorted(entry.transactions) != sorted(one for one in transactions.get(pk, []) if not one.startswith(FILLED)):
            found.append(f"{identity}: the transactions acknowledged are not those stored.")
    return found


def _counts(rows: QuerySet, stations: Iterable[int]) -> dict[int, int]:
    counted = rows.filter(station_id__in=list(stations)).order_by().values(pk_of_station=F("station_id")).annotate(rows=Count("*"))
    return {row["pk_of_station"]: row["rows"] for row in counted}
