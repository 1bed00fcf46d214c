"""How much: tariffs and the charge records made with them."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from accounts.models import IdTokenGroup, Operator, User
from stations.models import Evse, Site, Station, Transaction


def total() -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=14, decimal_places=2)


class Tariff(models.Model):
    """An operator's price, which changes by versions: what applied when a session started stays applied."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="tariffs")
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3, default="EUR")
    is_default = models.BooleanField(default=False, help_text="It applies where no other is assigned.")
    default_since = models.DateTimeField(null=True, blank=True, editable=False, help_text="Empty: it is not, or has always been.")
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True, help_text="Since when it is not to be chosen any more.")

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["operator"], condition=models.Q(is_default=True), name="tariff_one_default"),
            models.CheckConstraint(
                condition=models.Q(is_default=False) | models.Q(retired_at=None), name="tariff_default_or_retired"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TariffVersion(models.Model):
    """What a tariff is from a moment on, until the next version; the first one also before. Never changed.

    `ocpi` is what an OCPI 2.2.1 Tariff object says of prices: `elements`, `min_price`, `max_price`.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    tariff = models.ForeignKey(Tariff, models.CASCADE, related_name="versions", db_index=False)  # tariffversion_tariff_from
    number = models.PositiveIntegerField(default=1)
    valid_from = models.DateTimeField()
    ocpi = models.JSONField()
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["tariff", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["tariff", "valid_from"], name="tariffversion_tariff_from"),
            models.UniqueConstraint(fields=["tariff", "number"], name="tariffversion_tariff_number"),
        ]

    def __str__(self) -> str:
        return f"{self.tariff_id} version {self.number}"


class Audience(models.TextChoices):
    """For whom a tariff is assigned."""

    EVERYBODY = "", _("Everybody")
    AD_HOC = "ad_hoc", _("Who pays without a contract")
    DRIVERS = "drivers", _("Registered drivers")
    GROUP = "group", _("A group of id tags")


class TariffAssignment(models.Model):
    """Where and for whom a tariff applies: at most one of site, station and EVSE, or the whole network."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    tariff = models.ForeignKey(Tariff, models.CASCADE, related_name="assignments")
    site = models.ForeignKey(Site, models.CASCADE, null=True, blank=True, related_name="+")
    station = models.ForeignKey(Station, models.CASCADE, null=True, blank=True, related_name="+")
    evse = models.ForeignKey(Evse, models.CASCADE, null=True, blank=True, related_name="+")
    audience = models.CharField(max_length=10, choices=Audience.choices, default="", blank=True)
    group = models.ForeignKey(IdTokenGroup, models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["operator", "site", "station", "evse", "audience", "group"],
                nulls_distinct=False,
                name="tariffassignment_once",
            ),
            models.CheckConstraint(
                condition=(models.Q(site=None, station=None) | models.Q(site=None, evse=None) | models.Q(station=None, evse=None)),
                name="tariffassignment_one_place",
            ),
            models.CheckConstraint(
                condition=models.Q(audience="group", group__isnull=False) | (~models.Q(audience="group") & models.Q(group=None)),
                name="tariffassignment_group",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tariff_id} for {self.audience or 'everybody'}"


class FormerAssignment(models.Model):
    """Where and for whom a tariff applied until it was ended: for the sessions that started meanwhile."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)  # formerassignment_op_ended
    tariff = models.ForeignKey(Tariff, models.CASCADE, related_name="+")
    site = models.ForeignKey(Site, models.CASCADE, null=True, related_name="+")
    station = models.ForeignKey(Station, models.CASCADE, null=True, related_name="+")
    evse = models.ForeignKey(Evse, models.CASCADE, null=True, related_name="+")
    audience = models.CharField(max_length=10, choices=Audience.choices, default="")
    group = models.ForeignKey(IdTokenGroup, models.CASCADE, null=True, related_name="+")
    was_default = models.BooleanField(default=False)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["operator", "ended_at"], name="formerassignment_op_ended")]

    def __str__(self) -> str:
        return f"{self.tariff_id} until {self.ended_at:%Y-%m-%d %H:%M}"


class RecordKind(models.TextChoices):
    """What a record does to what somebody owes."""

    CHARGE = "charge", _("Charge")
    CREDIT = "credit", _("Credit")


class ChargeRecord(models.Model):
    """What one transaction cost, or a credit that takes that back. The database refuses to change or delete one.

    Made exactly once a revision, which its unique key guarantees: 1 is the first charge, 2 the credit of it, 3 the next charge.
    The charge that no credit takes back is the one that counts. A credit has the lines, taxes, energy and totals of its charge,
    negated. `lines` and `taxes` explain the totals: [{"dimension", "volume", "unit", "price", "cost_excl_tax", "vat_percent"}] and
    [{"percent", "net", "tax"}], decimals as strings. `reserved_at` and `charging_ended_at`: since when it pays for a reservation,
    and for parking. `market`: the prices of its series that applied, per kWh, {name: {"starts", "prices", "until"}}; empty if no
    market drives its tariff, or if it was made before they were kept. `findings` are the codes of what was wrong with the session.
    Records made before there were corrections know no times, taxes and version.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)  # chargerecord_operator_created
    transaction = models.ForeignKey(Transaction, models.PROTECT, related_name="charge_records")
    revision = models.PositiveIntegerField(default=1)
    kind = models.CharField(max_length=10, choices=RecordKind.choices, default=RecordKind.CHARGE, db_default="charge")
    credits = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="credited_by")
    reason = models.CharField(max_length=300, blank=True, db_default="", help_text="Why it was corrected.")
    request_key = models.CharField(max_length=100, blank=True, db_default="", editable=False)
    tariff = models.ForeignKey(Tariff, models.PROTECT, related_name="+")
    version = models.ForeignKey(TariffVersion, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    tariff_snapshot = models.JSONField(help_text="The tariff as it was, as an OCPI 2.2.1 Tariff object.")
    choice = models.JSONField(default=dict, db_default={}, help_text="Which version of the tariff it was, and why that one.")
    market = models.JSONField(default=dict, db_default={}, help_text="The prices of its series that applied, by their names.")
    currency = models.CharField(max_length=3)
    started_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    reserved_at = models.DateTimeField(null=True, blank=True, help_text="Since when it pays for a reservation; null: it does not.")
    charging_ended_at = models.DateTimeField(null=True, blank=True, help_text="Since when it pays for parking; null: it does not.")
    energy_wh = models.DecimalField(max_digits=15, decimal_places=3)
    duration_s = models.PositiveIntegerField()
    lines = models.JSONField()
    taxes = models.JSONField(default=list, db_default=[])
    total_excl_tax = total()
    total_incl_tax = total()
    findings = models.JSONField(default=list, db_default=[])
    trust = models.CharField(max_length=15, blank=True, db_default="")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["transaction", "revision"], name="chargerecord_transaction_revision"),
            models.CheckConstraint(
                condition=models.Q(kind="credit", credits__isnull=False) | models.Q(kind="charge", credits=None),
                name="chargerecord_credit_of",
            ),
        ]
        indexes = [
            models.Index(fields=["operator", "-created_at", "-id"], name="chargerecord_operator_created"),
            models.Index(fields=["version"], name="chargerecord_version"),
            models.Index(fields=["tariff", "-created_at", "-id"], name="chargerecord_tariff_created"),
        ]

    def __str__(self) -> str:
        return f"{self.total_incl_tax} {self.currency}"

    @property
    def tax(self) -> Decimal:
        return self.total_incl_tax - self.total_excl_tax


class RebillingState(models.TextChoices):
    """A re-billing's life: what it would do is worked out first, then somebody starts it."""

    CHECKING = "checking", _("Working out what would change")
    READY = "ready", _("Ready to start")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    CANCELLED = "cancelled", _("Cancelled")
    DONE = "done", _("Done")


class Rebilling(models.Model):
    """Many charge records priced anew: those of `tariff` whose sessions began in a time, under `under` or as is assigned now.

    A worker goes through the records from `first_id` to `last_id`; `at_id` is how far it is. It goes through them twice: first
    `total`, `would_change` and `would_differ` (by currency, decimal strings) come out, then `changed` and `difference`.
    `failed`: the first of those that could not be priced, [{"record", "session", "error"}]. `token` is the form's own: sent twice,
    it makes one. `paused`: what it was at. `due_at`: when to look at it next.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    token = models.CharField(max_length=100)
    tariff = models.ForeignKey(Tariff, models.PROTECT, related_name="+")
    under = models.ForeignKey(Tariff, models.PROTECT, null=True, blank=True, related_name="+")
    site = models.ForeignKey(Site, models.SET_NULL, null=True, blank=True, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()
    reason = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=RebillingState.choices, default=RebillingState.CHECKING)
    paused = models.CharField(max_length=10, blank=True)
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    at_id = models.BigIntegerField(default=0)
    total = models.PositiveIntegerField()
    looked_at = models.PositiveIntegerField(default=0)
    would_change = models.PositiveIntegerField(default=0)
    would_differ = models.JSONField(default=dict)
    changed = models.PositiveIntegerField(default=0)
    difference = models.JSONField(default=dict)
    failures = models.PositiveIntegerField(default=0)
    failed = models.JSONField(default=list)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)

    #: Whether it was planned before, with the same token; known of what `plan` returns.
    repeated = False

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["operator", "token"], name="rebilling_operator_token")]
        indexes = [
            models.Index(fields=["operator", "-id"], name="rebilling_operator_id"),
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="rebilling_due"),
        ]

    def __str__(self) -> str:
        return f"re-billing {self.pk}"


import billing.seriesmodels  # noqa: E402, F401  (models of a module of their own)
from billing.archivemodels import ArchiveFile, ReceiptArchive  # noqa: E402, F401
from billing.pricelistmodels import PriceList as PriceList  # noqa: E402
from billing.receiptmodels import Issuer, Receipt, ReceiptCustomer  # noqa: E402, F401  (below what they refer to)
from billing.signedmodels import KeySource, MeterKey, SignedCheck, SignedSession  # noqa: E402, F401  (they use what is above)
