"""Security for programs: what stations tell of it, the certificates they hold, and those they ask for."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from csms.api.errors import Conflict
from csms.api.filters import Filters, MomentFilter, StationFilter, YesNoFilter, period
from csms.api.serializers import Rows
from csms.api.views import Lists
from stations.domain.certificates import SIGNED
from stations.models import CertificateRequest, InstalledCertificate, RequestStatus, SecurityEvent
from stations.models.security import TYPES
from stations.services import security


class SecurityEventRow(Rows):
    station = serializers.CharField(source="station.identity")
    acknowledged_by = serializers.EmailField(source="acknowledged_by.email", default=None, allow_null=True)

    class Meta:
        model = SecurityEvent
        fields = read_only_fields = [
            *("id", "station", "type", "at", "received_at", "tech_info", "critical", "acknowledged_at", "acknowledged_by"),
        ]


class HashRow(serializers.Serializer[Any]):
    """What a station calls a certificate by."""

    hash_algorithm = serializers.CharField()
    issuer_name_hash = serializers.CharField()
    issuer_key_hash = serializers.CharField()
    serial_number = serializers.CharField()


class CertificateRow(Rows):
    station = serializers.CharField(source="station.identity")
    children = HashRow(many=True, help_text="Those of its chain, as far as the station told.")

    class Meta:
        model = InstalledCertificate
        fields = read_only_fields = [
            *("id", "station", "type", "hash_algorithm", "issuer_name_hash", "issuer_key_hash", "serial_number", "children"),
            *("subject", "issuer", "not_before", "not_after", "pem", "installed_at", "reported_at", "removed_at"),
        ]


class CertificateRequestRow(Rows):
    station = serializers.CharField(source="station.identity")
    problems = serializers.ListField(child=serializers.CharField(), help_text="Why it should not be signed.")
    command = serializers.IntegerField(source="command_id", allow_null=True, help_text="That sent the certificate.")

    class Meta:
        model = CertificateRequest
        fields = read_only_fields = [
            *("id", "station", "type", "subject", "common_name", "key", "problems", "status", "detail", "csr", "certificate"),
            *("command", "count", "received_at", "last_at", "decided_at"),
        ]


class SecurityEventFilters(Filters):
    looks_for = ("type", "critical", "acknowledged")

    station = StationFilter("station_id")
    type = filters.CharFilter(lookup_expr="iexact")
    critical = YesNoFilter()
    acknowledged = YesNoFilter("acknowledged_at", "isnull", exclude=True)
    since, until = period("at").values()


class CertificateFilters(Filters):
    looks_for = ("type", "removed", "ends_before")

    station = StationFilter("station_id")
    type = filters.ChoiceFilter(choices=TYPES)
    removed = YesNoFilter("removed_at", "isnull", exclude=True, help_text="those that are there no more, or those that are")
    ends_before = MomentFilter("not_after", "lt", help_text="those that hold no longer than this")


class CertificateRequestFilters(Filters):
    looks_for = ("type", "status", "since", "until")

    station = StationFilter("station_id")
    type = filters.ChoiceFilter(choices=[(one, one) for one in SIGNED])
    status = filters.ChoiceFilter(choices=RequestStatus.choices)
    since, until = period("last_at").values()


class SecurityEventView(mixins.RetrieveModelMixin, Lists):
    """What bears on the security of stations, as they told it: the time is theirs, and may be long past."""

    model = SecurityEvent
    serializer_class = SecurityEventRow
    filterset_class: Any = SecurityEventFilters
    orderings = {"-at": ("at", "id")}
    change_verb = "stations.change"

    def narrow(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.select_related("station", "acknowledged_by")

    @extend_schema(
        request=None, responses={200: SecurityEventRow, 409: OpenApiResponse(description="It is not critical, or was seen before.")}
    )
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, **kwargs: Any) -> Response:
        """Say that somebody has seen a critical event: it stands on the work list no more."""
        event: SecurityEvent = self.get_object()
        user = request.user if isinstance(request.user, User) else None
        if not security.acknowledge(station=event.station, event=event, user=user):
            why = "somebody has seen it already" if event.critical else "it is not critical, so nobody needs to"
            raise Conflict(f"Security event {event.pk} waits for nobody: {why}.")
        return Response(SecurityEventRow(self.get_object()).data)


class CertificateView(mixins.RetrieveModelMixin, Lists):
    """Certificates at stations, as they told or we brought them there. To change or list them: the commands `install_certificate`,
    `delete_certificate` and `get_installed_certificates` at `stations/<identity>/commands/`.
    """

    model = InstalledCertificate
    serializer_class = CertificateRow
    filterset_class: Any = CertificateFilters


class CertificateRequestView(mixins.RetrieveModelMixin, Lists):
    """Certificates that stations ask for. To answer one by hand: the command `certificate_signed`."""

    model = CertificateRequest
    serializer_class = CertificateRequestRow
    filterset_class: Any = CertificateRequestFilters
