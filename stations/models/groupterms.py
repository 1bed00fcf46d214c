"""What a group of id tokens, or a single one, may do, where that is less than everything everywhere."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import IdToken, IdTokenGroup, Operator
from stations.domain.places import Held


class Terms(models.Model):
    """Base. `places`: None for everywhere, else {"sites": [key], "stations": [key], "evses": [[key of the station, number]]}, the
    only places where the tokens may charge. What is gone leaves nowhere, rather than everywhere. `connector_types`: None for plugs
    of every type, else the only ones (OCPP 2.0.1 ConnectorEnumType).
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    places = models.JSONField(null=True, blank=True)
    connector_types = models.JSONField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        abstract = True

    @property
    def held(self) -> Held | None:
        return Held.read(self.places, self.connector_types)


class TokenTerms(Terms):
    """Of a single token, beside those of its group: both count."""

    token = models.OneToOneField(IdToken, models.CASCADE, related_name="terms")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"terms of token {self.token_id}"


class GroupTerms(Terms):
    group = models.OneToOneField(IdTokenGroup, models.CASCADE, related_name="terms")
    priority = models.SmallIntegerField(null=True, blank=True, validators=[MinValueValidator(-9), MaxValueValidator(9)])
    only_stops = models.BooleanField(default=False, help_text="Its tokens stop the sessions of others, and start none.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(priority__isnull=True) | Q(priority__range=(-9, 9)), name="groupterms_priority"),
        ]

    def __str__(self) -> str:
        return f"terms of {self.group_id}"
