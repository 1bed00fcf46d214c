"""Django's admin at /admin/, for repair: superusers only, because it knows no rule of ours."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import ApiKey, IdToken, IdTokenGroup, Operator, User
from billing import tariffs
from billing.models import ChargeRecord, Tariff, TariffAssignment, TariffVersion
from stations.models import (
    Connection,
    ConnectionHistory,
    Connector,
    Evse,
    Finding,
    OutboxEntry,
    Refusal,
    RepairMessage,
    Site,
    Station,
    Transaction,
)


class RepairSite(admin.AdminSite):
    site_header = site_title = "Repair"
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """By our login alone: Django's own would ask for no second factor."""
        if request.user.is_authenticated:
            raise PermissionDenied(_("Only those who run the whole system come in here."))
        return redirect_to_login(request.GET.get("next", "/admin/"))


repair = RepairSite(name="admin")


class Recorded(admin.ModelAdmin):  # type: ignore[type-arg]  # cannot be subscripted at run time
    """What is repaired stands in the audit of the network it belongs to; if it belongs to none, in Django's own log only."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.audit_before = _values(row)
        return row

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        _record("added", obj, after=_values(obj))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        _record("changed", obj, before=obj.audit_before, after=_values(obj))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        rows = list(queryset)
        for row in rows:
            # What goes with its operator takes the operator's audit along.
            if not isinstance(row, Operator):
                _record("removed", row, before=_values(row))
        return super().log_deletions(request, queryset)


def _values(row: Model) -> dict[str, Any]:
    """What differs if somebody changed the row; foreign keys as numbers, as they are typed."""
    return {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key}


def _record(done: str, row: Any, **told: Any) -> None:
    """Of any row of ours: it belongs to an operator, is one, or belongs to a station or a plug of one."""
    owner = row
    for name in ("evse", "station"):
        if not hasattr(owner, "operator_id") and not isinstance(owner, Operator):
            owner = getattr(owner, name, owner)
    operator = owner.pk if isinstance(owner, Operator) else owner.operator_id
    if operator is not None:
        audit.record(f"repair.{done}", row, operator=operator, **told)


class Rows(Recorded):
    """A plain list. Foreign keys are typed as numbers: a choice of all transactions would not end."""

    show_full_result_count = False
    list_select_related = True

    def get_list_display(self, request: HttpRequest) -> list[str | Callable[[Any], str | bool]]:
        return ["pk", *(field.name for field in self.model._meta.fields if not field.primary_key)][:9]

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        self.raw_id_fields = [field.name for field in model._meta.fields if isinstance(field, ForeignKey)]  # type: ignore[misc]  # one class for many models
        super().__init__(model, admin_site)


class KeptRows(Rows):
    """What is never changed or deleted, and made by rule alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StationRows(Rows):
    search_fields = ["identity", "name", "serial_number"]
    list_filter = ["registration"]
    exclude = ["password_hash"]


class TransactionRows(Rows):
    search_fields = ["=ocpp_transaction_id", "=id_tag"]
    list_filter = ["status", "doubt"]


class TariffRows(Rows):
    """A tariff is made with its first version and goes with all of them, by its own page."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AssignmentRows(Rows):
    """What a tariff was assigned to is remembered for the sessions of that time: an assignment is ended, not changed."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: TariffAssignment) -> None:
        tariffs.unassign(assignment=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[TariffAssignment]) -> None:
        for one in queryset.order_by("pk"):
            tariffs.unassign(assignment=one)


class IdTokenRows(Rows):
    search_fields = ["value"]
    list_filter = ["status", "type"]


class People(Recorded, UserAdmin):  # type: ignore[type-arg]  # cannot be subscripted at run time
    ordering = ["email"]
    list_display = ["email", "name", "operator", "role", "is_active", "is_superuser"]
    list_filter = ["role", "is_active"]
    search_fields = ["email", "name"]
    filter_horizontal = []
    fieldsets = [(None, {"fields": ["email", "password", "name", "operator", "role", "is_active", "is_staff", "is_superuser"]})]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["email", "name", "operator", "role", "password1", "password2"]})]


repair.register(User, People)
repair.register(Station, StationRows)
repair.register(Transaction, TransactionRows)
repair.register(IdToken, IdTokenRows)
repair.register([ChargeRecord, TariffVersion], KeptRows)
repair.register(Tariff, TariffRows)
repair.register(TariffAssignment, AssignmentRows)
repair.register(
    [
        ApiKey,
        Connection,
        ConnectionHistory,
        Connector,
        Evse,
        Finding,
        IdTokenGroup,
        Operator,
        OutboxEntry,
        Refusal,
        RepairMessage,
        Site,
    ],
    Rows,
)
