"""Django's admin at /admin/, for repair: superusers only, because it knows no rule of ours."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.models import ApiKey, IdToken, IdTokenGroup, Operator, User
from billing.models import ChargeRecord, Tariff
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


class Rows(admin.ModelAdmin):  # type: ignore[type-arg]  # cannot be subscripted at run time
    """A plain list. Foreign keys are typed as numbers: a choice of all transactions would not end."""

    show_full_result_count = False
    list_select_related = True

    def get_list_display(self, request: HttpRequest) -> list[str | Callable[[Any], str | bool]]:
        return ["pk", *(field.name for field in self.model._meta.fields if not field.primary_key)][:9]

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        self.raw_id_fields = [field.name for field in model._meta.fields if isinstance(field, ForeignKey)]  # type: ignore[misc]  # one class for many models
        super().__init__(model, admin_site)


class StationRows(Rows):
    search_fields = ["identity", "name", "serial_number"]
    list_filter = ["registration"]
    exclude = ["password_hash"]


class TransactionRows(Rows):
    search_fields = ["=ocpp_transaction_id", "=id_tag"]
    list_filter = ["status", "doubt"]


class IdTokenRows(Rows):
    search_fields = ["value"]
    list_filter = ["status", "type"]


class People(UserAdmin):  # type: ignore[type-arg]  # cannot be subscripted at run time
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
repair.register(
    [
        ApiKey,
        ChargeRecord,
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
        Tariff,
    ],
    Rows,
)
