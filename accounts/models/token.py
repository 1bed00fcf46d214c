"""Id tokens: what a driver presents to a station, such as the number of an RFID card."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from accounts.models.operator import Operator
from accounts.models.user import User


class IdTokenType(models.TextChoices):
    """OCPP 2.0.1 IdTokenEnumType."""

    CENTRAL = "Central", _("Central")
    EMAID = "eMAID", "eMAID"
    ISO14443 = "ISO14443", _("RFID card (ISO 14443)")
    ISO15693 = "ISO15693", _("RFID card (ISO 15693)")
    KEY_CODE = "KeyCode", _("Key code")
    LOCAL = "Local", _("Local")
    MAC_ADDRESS = "MacAddress", _("MAC address")
    NO_AUTHORIZATION = "NoAuthorization", _("No authorization")


class IdTokenStatus(models.TextChoices):
    ACCEPTED = "Accepted", _("Accepted")
    BLOCKED = "Blocked", _("Blocked")


class IdTokenGroup(models.Model):
    """Tokens of one group may stop each other's transactions (1.6 parentIdTag, 2.x groupIdToken)."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="id_token_groups")
    name = models.CharField(max_length=20, help_text="Sent to stations as parentIdTag: at most 20 characters.")

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["operator", "name"], name="idtokengroup_operator_name")]

    def __str__(self) -> str:
        return self.name


class IdToken(models.Model):
    """One id token of an operator. `key` is its value in upper case, because OCPP compares tokens without case."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="id_tokens", db_index=False)  # idtoken_operator_id
    value = models.CharField(max_length=255)
    key = models.CharField(max_length=255, editable=False)
    type = models.CharField(max_length=20, choices=IdTokenType.choices, default=IdTokenType.ISO14443)
    status = models.CharField(max_length=20, choices=IdTokenStatus.choices, default=IdTokenStatus.ACCEPTED)
    blocked_because = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="Why it is blocked; empty while it is not."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    group = models.ForeignKey(IdTokenGroup, models.SET_NULL, null=True, blank=True, related_name="id_tokens")
    note = models.CharField(max_length=200, blank=True)
    driver = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="id_tokens")
    driver_since = models.DateTimeField(
        null=True, blank=True, help_text="When a card was given to its driver: what was charged with it before is somebody else's."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["value"]
        constraints = [models.UniqueConstraint(fields=["operator", "key", "type"], name="idtoken_operator_key_type")]
        indexes = [
            models.Index(fields=["operator", "-id"], name="idtoken_operator_id"),
            models.Index(fields=["operator", "expires_at"], condition=Q(expires_at__isnull=False), name="idtoken_operator_expires"),
        ]

    def __str__(self) -> str:
        return self.value


class FormerIdTag(models.Model):
    """A card that was a driver's for a while: what they charged with it in that time stays in their history."""

    driver = models.ForeignKey(User, models.CASCADE, related_name="former_id_tags")
    token = models.ForeignKey(IdToken, models.CASCADE, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()

    objects = ScopedManager(operator="token__operator")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.token_id} of driver {self.driver_id}"
