"""What a group of id tokens may do, where that is less than everything everywhere."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import IdTokenGroup, Operator


class GroupTerms(models.Model):
    """`places`: None for everywhere, else {"sites": [key], "stations": [key], "evses": [[key of the station, number]]}, the only
    places where its tokens may charge. What is gone leaves nowhere, rather than everywhere.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    group = models.OneToOneField(IdTokenGroup, models.CASCADE, related_name="terms")
    priority = models.SmallIntegerField(null=True, blank=True, validators=[MinValueValidator(-9), MaxValueValidator(9)])
    only_stops = models.BooleanField(default=False, help_text="Its tokens stop the sessions of others, and start none.")
    places = models.JSONField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(priority__isnull=True) | Q(priority__range=(-9, 9)), name="groupterms_priority"),
        ]

    def __str__(self) -> str:
        return f"terms of {self.group_id}"
