"""Receipts: who issues them, the receipts with their numbers, and for whom they are."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django_scopes import ScopedManager

from accounts.models import Operator, User

#: A number follows at once, so that a digit at the end could be read as part of it.
SERIES = RegexValidator(
    r"^(?:[A-Za-z0-9./_-]|\{year\}){0,19}[A-Za-z./_-]\Z",
    "Letters, digits and the signs . / _ - and {year}, 20 at most, with a letter or a sign at the end.",
)
DIGITS = 5


class Issuer(models.Model):
    """What an operator's receipts say of who issues them, in which series they are numbered and in which language they are.

    Its row is locked while a receipt gets its number: those of an operator come one after the other.
    """

    operator = models.OneToOneField(Operator, models.CASCADE, primary_key=True, related_name="issuer")
    legal_name = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=500, blank=True, help_text="Several lines.")
    vat_id = models.CharField(max_length=40, blank=True)
    register = models.CharField(max_length=200, blank=True)
    contact = models.CharField(max_length=300, blank=True)
    footer = models.CharField(max_length=1000, blank=True)
    series = models.CharField(max_length=20, default="R{year}-", validators=[SERIES])
    language = models.CharField(max_length=10, blank=True, help_text="For drivers who have chosen none; empty: the system's.")
    changed_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    def __str__(self) -> str:
        return self.legal_name or str(self.operator)

    @property
    def complete(self) -> bool:
        """Whether a receipt says all that a tax office asks of the one who issues it."""
        return bool(self.legal_name and self.address and self.vat_id)


class Receipt(models.Model):
    """The receipt of a charge record, or of a credit record its credit note. Never changed, never deleted: a trigger sees to it.

    Numbers are gapless within an operator's series. `content` is all that is printed, in words and in the receipt's language,
    and under "data" what it was made of; its "version" says which template prints it. Who it is for stands beside it.
    """

    record = models.OneToOneField("billing.ChargeRecord", models.PROTECT, primary_key=True, related_name="receipt")
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="+", db_index=False)  # receipt_operator_created
    series = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    label = models.CharField(max_length=60, help_text="Series and number, as people write it.")
    language = models.CharField(max_length=10)
    content = models.JSONField()
    created_at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-created_at", "-record_id"]
        constraints = [
            models.UniqueConstraint(fields=["operator", "series", "number"], name="receipt_operator_series_number"),
            models.UniqueConstraint(fields=["operator", "label"], name="receipt_operator_label"),
        ]
        indexes = [
            models.Index(fields=["operator", "-created_at", "-record"], name="receipt_operator_created"),
            models.Index(fields=["operator", "number"], name="receipt_operator_number"),
        ]

    def __str__(self) -> str:
        return self.label


class ReceiptCustomer(models.Model):
    """Who a receipt is for, as they were known when it was issued. It goes with their account: the receipt stays, as nobody's."""

    receipt = models.OneToOneField(Receipt, models.CASCADE, primary_key=True, related_name="customer")
    driver = models.ForeignKey(User, models.CASCADE, related_name="+")
    name = models.CharField(max_length=120, blank=True)
    email = models.EmailField()

    objects = ScopedManager(operator="receipt__operator")

    def __str__(self) -> str:
        return f"{self.name}, {self.email}" if self.name else self.email


def languages() -> list[str]:
    return [code for code, _name in settings.LANGUAGES]
