"""Local authorisation lists: which tokens a station shall know while it is offline, and what it is known to have.

A list that follows a rule is not stored token by token: it is the tokens of the rule, in the order of their keys, up to `highest`,
as they were at the change `upto`. So a change costs a row of `IdTokenChange`, however many stations have the token.
"""

from django.db import models
from django.db.models import Q
from django_scopes import ScopedManager

from accounts.models import Operator
from stations.models.command import Command
from stations.models.site import Site
from stations.models.station import Station


class ListMode(models.TextChoices):
    """Which tokens belong on a list."""

    OFF = "off", "None"
    VALID = "valid", "All valid ones"
    GROUPS = "groups", "Those of chosen groups"


class LocalListRule(models.Model):
    """Which tokens belong on the lists of a network, a site's stations or one station; the narrowest counts.

    `revision` counts its changes: a list that was made by another one is made anew.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+")
    site = models.OneToOneField(Site, models.CASCADE, null=True, blank=True, related_name="local_list_rule")
    station = models.OneToOneField(Station, models.CASCADE, null=True, blank=True, related_name="local_list_rule")
    mode = models.CharField(max_length=10, choices=ListMode.choices, default=ListMode.OFF)
    group_ids = models.JSONField(default=list, blank=True, help_text="Of the groups whose tokens belong there.")
    revision = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["operator"], condition=Q(site__isnull=True, station__isnull=True), name="locallistrule_network"
            ),
            models.CheckConstraint(condition=Q(site__isnull=True) | Q(station__isnull=True), name="locallistrule_of_one"),
        ]

    def __str__(self) -> str:
        return f"{self.mode} of {self.station or self.site or self.operator}"


class ListState(models.TextChoices):
    """How a list stands to what it shall be."""

    OFF = "off", "No list"
    WAITING = "waiting", "Out of step"
    SENDING = "sending", "Being sent"
    IN_STEP = "in_step", "In step"
    FAILED = "failed", "Refused"
    UNSUPPORTED = "unsupported", "Not supported"


class LocalList(models.Model):
    """The list of one station. Versions are ours and only rise: `version` is the last that the station took (0: none),
    `sent_version` the highest that was ever sent or seen there, `reported_version` what it said when asked (-1: it keeps none).

    `by_hand`: its entries were sent by somebody and are `LocalListEntry` rows. `pending` is what holds once the command that is
    under way is taken. `ask`: its version must be asked first; `full`: only the whole list helps.
    """

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    station = models.OneToOneField(Station, models.CASCADE, related_name="local_list")
    rule = models.ForeignKey(LocalListRule, models.SET_NULL, null=True, blank=True, related_name="+")
    made_by = models.CharField(max_length=40, blank=True, help_text="The rule and its revision by which it was made.")
    by_hand = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=ListState.choices, default=ListState.OFF)
    version = models.BigIntegerField(default=0)
    sent_version = models.BigIntegerField(default=0)
    reported_version = models.BigIntegerField(null=True, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True)
    count = models.PositiveIntegerField(default=0, help_text="Entries that it has, as far as we know.")
    left_out = models.PositiveIntegerField(default=0, help_text="Tokens that belong on it and do not fit.")
    limit = models.PositiveIntegerField(null=True, blank=True, help_text="Entries it can hold, as the station says.")
    upto = models.BigIntegerField(default=0)
    highest = models.BigIntegerField(default=0)
    ask = models.BooleanField(default=True)
    full = models.BooleanField(default=True)
    urgent = models.BooleanField(default=False)
    due_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    error_at = models.DateTimeField(null=True, blank=True)
    command = models.OneToOneField(Command, models.SET_NULL, null=True, blank=True, related_name="+")
    pending = models.JSONField(null=True, blank=True)
    synced_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["operator", "state", "-id"], name="locallist_operator_state"),
            models.Index(fields=["operator", "-urgent", "due_at"], condition=Q(due_at__isnull=False), name="locallist_due"),
        ]

    def __str__(self) -> str:
        return f"local list of {self.station_id}"


class LocalListEntry(models.Model):
    """An entry of a list that somebody sent by hand."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    local_list = models.ForeignKey(LocalList, models.CASCADE, related_name="entries", db_index=False)
    value = models.CharField(max_length=36)
    key = models.CharField(max_length=36)
    type = models.CharField(max_length=20)
    status = models.CharField(max_length=20)
    expires_at = models.DateTimeField(null=True, blank=True)
    group = models.CharField(max_length=36, blank=True)

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["local_list", "key", "type"], name="locallistentry_list_key_type")]
        indexes = [models.Index(fields=["operator", "key"], name="locallistentry_operator_key")]

    def __str__(self) -> str:
        return self.value


class LeftOff(models.Model):
    """A token whose customer a station has forgotten: no rule puts it on the station's list until something about it changes."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="+", db_index=False)
    local_list = models.ForeignKey(LocalList, models.CASCADE, related_name="+", db_index=False)
    token_id = models.BigIntegerField()
    at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["local_list", "token_id"], name="leftoff_list_token")]
        indexes = [models.Index(fields=["operator", "token_id"], name="leftoff_operator_token")]

    def __str__(self) -> str:
        return f"token {self.token_id} off list {self.local_list_id}"


class ListBook(models.Model):
    """An operator who uses lists: the number of the newest change of a token, and of the newest by which one may charge no more; up
    to when expiries were noticed."""

    operator = models.OneToOneField(Operator, models.CASCADE, related_name="+")
    newest = models.BigIntegerField(default=0)
    urgent = models.BigIntegerField(default=0)
    expiries_upto = models.DateTimeField()

    objects = ScopedManager(operator="operator")


class IdTokenChange(models.Model):
    """Something about a token changed that a list shows. Written by triggers on the tables of tokens and groups, so that no way of
    changing them is missed. `number` is given once it is committed: so numbers rise in the order in which they can be seen.
    """

    operator = models.ForeignKey(Operator, models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False)
    token_id = models.BigIntegerField()
    value = models.CharField(max_length=255)
    type = models.CharField(max_length=20)
    was = models.BooleanField(help_text="Whether it might charge before.")
    group_id = models.BigIntegerField(null=True, blank=True, help_text="Its group before.")
    gone = models.BooleanField(help_text="Whether it may charge no more.")
    number = models.BigIntegerField(null=True, blank=True)
    at = models.DateTimeField()

    objects = ScopedManager(operator="operator")

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["operator", "number"], name="idtokenchange_operator_number"),
            models.Index(fields=["operator", "id"], condition=Q(number__isnull=True), name="idtokenchange_unnumbered"),
            models.Index(fields=["at"], name="idtokenchange_at"),
        ]
