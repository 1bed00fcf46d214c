"""Whether a station is online: a lease that what it says renews, never trusted to a clean disconnect."""

from datetime import timedelta

from django.db.models import BooleanField, Case, DurationField, ExpressionWrapper, F, Q, Value, When
from django.db.models.functions import Now

#: Heard within three heartbeat intervals, and not disconnected since. For querysets of stations: `.annotate(online=ONLINE)`.
ONLINE = Case(
    When(
        Q(connection__disconnected_at__isnull=True) | Q(connection__disconnected_at__lt=F("connection__seen_at")),
        connection__seen_at__gt=Now()
        - ExpressionWrapper(F("heartbeat_interval_s") * Value(timedelta(seconds=3)), output_field=DurationField()),
        then=Value(True),
    ),
    default=Value(False),
    output_field=BooleanField(),
)
