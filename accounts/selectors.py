"""Reads of who is who."""

import hashlib

from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django_scopes import scopes_disabled

from accounts.models import ApiKey, Invitation, Kind, Operator, User


def operator_named(name: str | None) -> Operator:
    """The operator of that name, or the only one there is. ValidationError says what to do otherwise."""
    operators = list(Operator.objects.filter(name=name) if name else Operator.objects.all()[:20])
    if len(operators) == 1:
        return operators[0]
    if name:
        known = ", ".join(Operator.objects.values_list("name", flat=True)[:20]) or "none yet"
        raise ValidationError(f'There is no operator "{name}" (known: {known}). Add it with: manage.py operator add "{name}"')
    if not operators:
        raise ValidationError('There is no operator yet. Add one with: manage.py operator add "NAME"')
    names = ", ".join(operator.name for operator in operators)
    raise ValidationError(f"There are several operators: say which one with --operator NAME ({names}).")


def user_with_email(email: str) -> User:
    user = User.objects.select_related("operator").filter(email__iexact=email.strip()).first()
    if user is None:
        raise ValidationError(f"There is no user {email}. Add one with: manage.py user add {email} --operator NAME --role ROLE")
    return user


def digest_of(key: str) -> str:
    """What is kept of an API key. SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(key.encode()).hexdigest()


def valid_api_key(key: str) -> ApiKey | None:
    """The key's row, if it may be used: known, not expired, its user active and still with the key's operator.

    The digest is looked up by index. That is safe in time: nobody can steer a SHA-256 towards a stored one byte by byte.
    """
    row = ApiKey.objects.select_related("user__operator").filter(digest=digest_of(key)).first()
    if row is None or not row.user.is_active or row.user.operator_id != row.operator_id:
        return None
    return row if row.expires_at is None or row.expires_at > timezone.now() else None


def staff_of(operator: Operator | None) -> QuerySet[User]:
    """The people who work for an operator, of all without one, each with `second_factor`: whether their login asks for one."""
    found = User.objects.filter(kind=Kind.STAFF)
    if operator is not None:
        found = found.filter(operator=operator)
    totp = Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)
    return found.annotate(second_factor=Exists(totp))


def open_invitation(token: str, *, lock: bool = False) -> Invitation | None:
    """The invitation whose link this is, if it is still good. Whoever has the link need not belong to anybody."""
    with scopes_disabled():
        found = Invitation.objects.select_related("operator")
        if lock:
            found = found.select_for_update(of=("self",))
        return found.filter(digest=digest_of(token), expires_at__gt=timezone.now()).first()
