"""What stations show, as it is now: a message is over by its time, or with its transaction, without anybody writing it down."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypedDict

import psycopg
from django.db import connection
from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from stations.domain.showing import Showing
from stations.domain.values import TransactionStatus
from stations.models import DisplayMessage, Transaction
from stations.state import showing_of

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class Status(TypedDict):
        status: str

    WithStatus = WithAnnotations[DisplayMessage, Status]


class MessageStatus(StrEnum):
    """Shown (in its station's state and turn), to be shown later, over by its time or with its transaction, or gone before that."""

    SHOWN = "shown"
    WAITING = "waiting"
    OVER = "over"
    REMOVED = "removed"


#: Those that a station still keeps.
KEPT = (MessageStatus.SHOWN, MessageStatus.WAITING)


def of_station(pk: int) -> Showing | None:
    """What a station can show, by its settings."""
    connection.ensure_connection()
    return showing_of(psycopg.Cursor(connection.connection), [pk]).get(pk)


def with_status(messages: "QuerySet[DisplayMessage]", now: datetime | None = None) -> "QuerySet[WithStatus]":
    """The messages with their `status`."""
    now = now or timezone.now()
    ended = Transaction.objects.filter(
        station=OuterRef("station"), ocpp_transaction_id=OuterRef("ocpp_transaction_id"), status=TransactionStatus.ENDED
    )
    over = Q(end_at__lte=now) | (~Q(ocpp_transaction_id="") & Exists(ended))
    status = Case(
        When(removed_at__isnull=False, then=Value(MessageStatus.REMOVED.value)),
        When(over, then=Value(MessageStatus.OVER.value)),
        When(start_at__gt=now, then=Value(MessageStatus.WAITING.value)),
        default=Value(MessageStatus.SHOWN.value),
        output_field=CharField(),
    )
    return messages.annotate(status=status)


def messages(now: datetime | None = None) -> "QuerySet[WithStatus]":
    """All messages, with their `status`."""
    return with_status(DisplayMessage.objects.all(), now)
