"""Which tariff a transaction has and why, and what it costs while it runs."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from billing import explained
from stations import ports
from stations.domain.values import TransactionStatus
from stations.models import Transaction

#: To what a tariff is assigned, as people call it.
PLACES = ("evse", "station", "site", "network")
AUDIENCES = ("everybody", "ad_hoc", "drivers", "group")


class TariffOfTransaction(serializers.Serializer[Any]):
    """The tariff that was applied, or until then the one that would be."""

    id = serializers.IntegerField(source="tariff")
    name = serializers.CharField(help_text="As it is called now.")
    version = serializers.IntegerField(allow_null=True, help_text="The one that was valid when the session started.")
    place = serializers.SerializerMethodField(help_text="To what it is assigned; the default tariff is that of the network.")
    audience = serializers.SerializerMethodField(help_text="For whom it is assigned.")
    until = serializers.DateTimeField(
        allow_null=True, help_text="When that ended: a session keeps what applied when it started. Null: it has not."
    )
    sentence = serializers.CharField(help_text="As drivers read it, tax included.")
    billed = serializers.BooleanField(help_text="Whether the charge record says so; else it is what would be applied.")
    payer = serializers.CharField(
        allow_null=True,
        help_text="As whom it charges, as noted when it was first known: ad_hoc (no id tag that is enrolled), tag (one of no "
        "registered driver), driver. Null: no id tag was shown yet, or it began before this was noted.",
    )
    group = serializers.CharField(allow_null=True, help_text="The group of id tags that it was in then; empty: that is gone.")
    changed_since = serializers.BooleanField(
        source="changed", help_text="Whether the id tag is another's or in another group now. What held at the start stays applied."
    )

    def get_place(self, row: explained.Explained) -> str:
        return row.place or "network"

    def get_audience(self, row: explained.Explained) -> str:
        return row.audience or "everybody"


class CostSoFar(serializers.Serializer[Any]):
    """With tax."""

    amount = serializers.DecimalField(max_digits=14, decimal_places=2)
    currency = serializers.CharField()


def context(shown: Iterable[Transaction]) -> dict[str, Any]:
    """What rows of transactions need of prices. Their records are read with them, the newest first."""
    found = list(shown)
    records = {one.pk: newest[0] for one in found if (newest := one.charge_records.all())}
    running = [one for one in found if one.status == TransactionStatus.ACTIVE]
    return {"tariffs": explained.explain(found, records), "costs": ports.running_cost(running)}
