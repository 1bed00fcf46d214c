"""People."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.models.operator import Operator


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    MANAGER = "manager", _("Manager")
    TECHNICIAN = "technician", _("Technician")
    FINANCE = "finance", _("Finance")
    SUPPORT = "support", _("Support")
    VIEWER = "viewer", _("Viewer")


class Kind(models.TextChoices):
    """Whether a person works for the operator or charges there. A driver's role says nothing: `accounts.permissions`."""

    STAFF = "staff", _("Staff")
    DRIVER = "driver", _("Driver")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username or "")


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in. One without an operator sees no tenant's data unless a superuser."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    operator = models.ForeignKey(Operator, models.CASCADE, null=True, blank=True, related_name="users")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.STAFF, db_default=Kind.STAFF)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.VIEWER)
    language = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        help_text="Of the pages; empty: the one the browser asks for.",
    )
    blocked_because = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="Why a driver may not charge; empty: they may."
    )
    sessions = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="Part of what every login of theirs is signed with: another text ends them all.",
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["email"]
        indexes = [
            models.Index(fields=["operator", "-id"], condition=models.Q(kind="driver"), name="user_drivers_newest"),
            # Operators have far more drivers than staff.
            models.Index(fields=["operator", "email"], condition=models.Q(kind="staff"), name="user_staff_of_operator"),
        ]

    def __str__(self) -> str:
        return self.email

    @classmethod
    def normalize_username(cls, username: str) -> str:
        # By which people are found when they log in.
        return super().normalize_username(username).lower()

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # What Django's makes of the password, bound to `sessions`; empty, as it is until somebody ends them, changes nothing.
        signed: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]
        if not self.sessions:
            return signed
        return salted_hmac("accounts.User.sessions", signed + self.sessions, secret=secret, algorithm="sha256").hexdigest()
