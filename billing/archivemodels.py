"""A month's receipts as files: what was asked for, how far it is, and the files."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from accounts.models import Operator, User


class ArchiveState(models.TextChoices):
    WORKING = "working", _("Is being made")
    DONE = "done", _("Ready")
    FAILED = "failed", _("Stopped")
    CANCELLED = "cancelled", _("Cancelled")


class ReceiptArchive(models.Model):
    """The receipts of a month as PDFs in ZIP files, made by workers a piece at a time.

    Those that were issued from `since` on and before `until`: the month, or what there was of it then. They are gone through in the
    order of their making; `at` and `at_id` are the last one that is in a file. `made`: how many that are; `busy_s`: how long it
    took. `unprinted`: those of which no PDF could be made, [{"receipt", "number", "error"}]. `lease`: of the worker that is at it,
    until `due_at`; then another one may go on. `error`, `attempts`: why it does not go on, and how often in a row that was tried.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)  # receiptarchive_operator_id
    month = models.DateField(help_text="Its first day.")
    since = models.DateTimeField()
    until = models.DateTimeField()
    whole = models.BooleanField(help_text="The month was over: nothing can come into it any more.")
    state = models.CharField(max_length=10, choices=ArchiveState.choices, default=ArchiveState.WORKING)
    total = models.PositiveIntegerField()
    made = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(null=True, blank=True)
    at_id = models.BigIntegerField(default=0)
    busy_s = models.FloatField(default=0)
    unprinted = models.JSONField(default=list)
    error = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    lease = models.CharField(max_length=32, blank=True)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["operator", "month"], condition=models.Q(state="working"), name="receiptarchive_one_working"
            ),
        ]
        indexes = [
            models.Index(fields=["operator", "-id"], name="receiptarchive_operator_id"),
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="receiptarchive_due"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class ArchiveFile(models.Model):
    """A part of an archive, to be downloaded (`piece` 0), or a piece of the part that is being made, which it is put together of.

    `receipts`: how many are in it, from the number `first` to the number `last`.
    """

    archive = models.ForeignKey(ReceiptArchive, models.CASCADE, related_name="files", db_index=False)  # archivefile_once
    part = models.PositiveIntegerField()
    piece = models.PositiveIntegerField(default=0)
    path = models.CharField(max_length=200, unique=True)
    size = models.BigIntegerField()
    receipts = models.PositiveIntegerField()
    first = models.CharField(max_length=60)
    last = models.CharField(max_length=60)
    created_at = models.DateTimeField()

    objects = ScopedManager(operator="archive__operator")

    class Meta:
        ordering = ["part", "piece"]
        constraints = [models.UniqueConstraint(fields=["archive", "part", "piece"], name="archivefile_once")]

    def __str__(self) -> str:
        return self.path
