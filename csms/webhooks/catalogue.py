"""What can be told: the kinds of events, what each says, and how its payload is made of an entry of the outbox."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.utils.translation import gettext_lazy
from rest_framework.renderers import JSONRenderer

from billing.services import CREDIT_TOPIC, RECORD_TOPIC
from stations import topics
from stations.domain.values import TransactionStatus
from stations.models import OutboxEntry, Station, StatusHistory

#: Sent by the button that tests a webhook; nobody subscribes to it.
PING = "ping"

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """`payload` is given the entry, in the scope of its operator. None: there is nothing to tell any more."""

    words: Any
    payload: Callable[[OutboxEntry], Payload | None]


def plain(data: Any) -> Payload:
    """As it is in JSON."""
    found: Payload = orjson.loads(JSONRenderer().render(data))
    return found


def _row(view: Any, pk: int | None) -> Any:
    """The row as the API finds it, with what its serializer needs."""
    return view().narrow(view.model._default_manager.filter(pk=pk)).first()


def _transaction(entry: OutboxEntry) -> Payload | None:
    from csms.api import sessionprices
    from csms.api.views import TransactionView

    row = _row(TransactionView, entry.object_id)
    return plain(TransactionView.serializer_class(row, context=sessionprices.context([row])).data) if row else None


def _running(entry: OutboxEntry) -> Payload | None:
    """Once it has ended, that is told, and how far it was is no news."""
    payload = _transaction(entry)
    return payload if payload and payload["status"] == TransactionStatus.ACTIVE else None


def _charge_record(entry: OutboxEntry) -> Payload | None:
    from csms.api.chargerecords import ChargeRecordView

    row = _row(ChargeRecordView, entry.object_id)
    return plain(ChargeRecordView.serializer_class(row).data) if row else None


def _command(entry: OutboxEntry) -> Payload | None:
    from csms.api.commandviews import CommandView

    row = _row(CommandView, entry.object_id)
    return plain(CommandView.serializer_class(row).data) if row else None


def _presence(entry: OutboxEntry, *, online: bool) -> Payload | None:
    """The station as it is, but for what the event is about."""
    from csms.api.views import StationView

    facts = entry.facts or {}
    row = _row(StationView, facts.get("station_id"))
    if row is None:
        return None
    row.online = online
    row.connection.seen_at = datetime.fromisoformat(facts["seen_at"])
    return plain(StationView.serializer_class(row).data)


def _fault(entry: OutboxEntry) -> Payload | None:
    """The status as it was reported; it may have changed since."""
    from csms.api.views import EventView

    facts = dict(entry.facts or {})
    station = Station.objects.filter(pk=facts.pop("station_id", None)).first()
    if station is None:
        return None
    for name in ("at", "received_at"):
        facts[name] = datetime.fromisoformat(facts[name])
    payload = plain(EventView.serializer_class(StatusHistory(operator_id=station.operator_id, station=station, **facts)).data)
    del payload["id"]  # it has none here
    return payload


EVENTS: dict[str, Kind] = {
    topics.TRANSACTION_STARTED: Kind(gettext_lazy("A session has begun"), _transaction),
    topics.TRANSACTION_UPDATED: Kind(gettext_lazy("How far a session is, once a minute at most"), _running),
    topics.TRANSACTION_ENDED: Kind(gettext_lazy("A session has ended"), _transaction),
    topics.STATION_ONLINE: Kind(gettext_lazy("A charger is online"), lambda entry: _presence(entry, online=True)),
    topics.STATION_OFFLINE: Kind(
        gettext_lazy("A charger has been away for more than a minute"), lambda entry: _presence(entry, online=False)
    ),
    topics.STATION_FAULTED: Kind(gettext_lazy("A charger or a plug has a fault"), _fault),
    topics.COMMAND_FINISHED: Kind(gettext_lazy("A command has ended, whatever came of it"), _command),
    RECORD_TOPIC: Kind(gettext_lazy("A session has its price"), _charge_record),
    CREDIT_TOPIC: Kind(gettext_lazy("The price of a session is taken back"), _charge_record),
}
