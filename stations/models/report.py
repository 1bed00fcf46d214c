"""Reports that stations were asked for, and that come in pages."""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import Operator
from stations.models.command import Command
from stations.models.station import Station


class ReportKind(models.TextChoices):
    """What it is about. `customer` is personal data."""

    SETTINGS = "settings", "Settings"
    MONITORS = "monitors", "Monitors"
    CUSTOMER = "customer", "Customer information"


class ReportStatus(models.TextChoices):
    """Asked for; pages come; all are here; there was nothing to tell; the station would not; pages are missing; never asked."""

    REQUESTED = "requested", "Requested"
    RECEIVING = "receiving", "Receiving"
    COMPLETE = "complete", "Complete"
    EMPTY = "empty", "Empty"
    REFUSED = "refused", "Refused"
    INCOMPLETE = "incomplete", "Incomplete"
    UNSENT = "unsent", "Never asked"


class Report(models.Model):
    """One report asked of one station by a command, and which of its pages came (OCPP 2.0.1 B07-B08, N02, N09).

    `about` is what was asked for; `pages` are the numbers of the pages that came, as closed ranges, `last_page` that of the last,
    `items` what they told of. `parts`: the further requests of one that needs several, since the station takes no more variables
    in one: [number, pages, last page] each. `due_at`: when it is given up unless a page comes; `repeat_of`: it was asked for
    again, because pages of that one are missing.
    """

    command = models.OneToOneField(Command, models.CASCADE, primary_key=True, related_name="report")
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.ForeignKey(Station, models.CASCADE, related_name="reports", db_index=False)
    kind = models.CharField(max_length=10, choices=ReportKind.choices)
    request_id = models.BigIntegerField(help_text="The number under which the station tells it.")
    about = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=10, choices=ReportStatus.choices, default=ReportStatus.REQUESTED)
    pages = models.JSONField(default=list, blank=True)
    last_page = models.IntegerField(null=True, blank=True)
    parts = models.JSONField(default=list, blank=True, db_default=[])
    items = models.IntegerField(default=0)
    detail = models.CharField(max_length=300, blank=True, help_text="What the station said, or what is missing.")
    repeat_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    heard_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-command"]
        indexes = [
            models.Index(fields=["station", "-command"], name="report_station_command"),
            models.Index(fields=["operator", "-command"], name="report_operator_command"),
            models.Index(fields=["station", "request_id"], name="report_station_request"),
            models.Index(fields=["station"], condition=Q(finished_at__isnull=True), name="report_station_open"),
            models.Index(fields=["due_at"], condition=Q(finished_at__isnull=True), name="report_open_due"),
            models.Index(fields=["created_at"], condition=Q(kind="customer"), name="report_customer_created"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} report {self.request_id}"


class CustomerPage(models.Model):
    """A page of what a station keeps of a customer. Personal data: deleted with its report."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    report = models.ForeignKey(Report, models.CASCADE, related_name="texts", db_index=False)
    sequence = models.IntegerField()
    text = models.TextField(blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["report", "sequence"]
        constraints = [models.UniqueConstraint(fields=["report", "sequence"], name="customerpage_report_sequence")]

    def __str__(self) -> str:
        return f"page {self.sequence} of {self.report_id}"
