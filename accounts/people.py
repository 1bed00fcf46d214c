"""What is done to the people of an operator: invited, given a role, switched off and on, and what they do to their own login.

Wrong input raises Django's ValidationError with cause and remedy; every change is in the audit.
"""

import secrets
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope

from accounts import audit, selectors
from accounts.models import ApiKey, Invitation, Kind, Operator, Role, User
from accounts.services import add_user
from accounts.tokens import plain, taken

__all__ = [
    "accept_invitation",
    "change_password",
    "change_person",
    "end_sessions",
    "invite",
    "note_own_change",
    "note_password_link",
    "recover",
    "remove_invitation",
    "rename",
    "renew_invitation",
    "reset_second_factor",
    "revoke_api_key",
]

INVITATION_LIFE = timedelta(days=7)
#: Invitations of one operator that may be open at a time.
MOST_INVITATIONS = 200


@transaction.atomic
def invite(*, operator: Operator, email: str, role: str, by: User | None = None) -> tuple[Invitation, str]:
    """An invitation, and the text of its link, which is not kept. Whoever was invited before has the older link no more."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        text = _('"%(email)s" is no e-mail address such as ada@example.com.')
        raise ValidationError({"email": text % {"email": email[:100]}}) from error
    if len(email) > 254:
        raise ValidationError({"email": _("An e-mail address has 254 characters at most.")})
    _check_role(role)
    Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
    # Of another operator's people nothing is told: who opens the link learns that the address is taken.
    known = User.objects.filter(operator=operator, email=email).first()
    if known is not None and known.kind == Kind.DRIVER:
        text = _("%(email)s charges in your network as a driver. Invite another address of theirs.")
        raise taken("email", text % {"email": email})
    if known is not None:
        raise taken("email", _("%(email)s is among your people already.") % {"email": email})
    with scope(operator=operator):
        others = Invitation.objects.exclude(email=email)
        if others.count() >= MOST_INVITATIONS:
            text = _("%(most)s invitations are open already: take back some that are no longer needed.")
            raise ValidationError({"email": text % {"most": MOST_INVITATIONS}})
        token = secrets.token_urlsafe(32)
        given = {"role": role, "invited_by": by, "digest": selectors.digest_of(token), "expires_at": _until()}
        invitation, _made = Invitation.objects.update_or_create(operator=operator, email=email, defaults=given)
    audit.record("invitation.sent", invitation, operator=operator, after={"email": email, "role": role})
    return invitation, token


@transaction.atomic
def renew_invitation(*, invitation: Invitation) -> str:
    """The text of a new link, good for another seven days; the older link is good no more."""
    _still_open(invitation)
    token = secrets.token_urlsafe(32)
    invitation.digest, invitation.expires_at = selectors.digest_of(token), _until()
    invitation.save(update_fields=["digest", "expires_at"])
    audit.record("invitation.renewed", invitation, operator=invitation.operator_id)
    return token


@transaction.atomic
def remove_invitation(*, invitation: Invitation) -> None:
    _still_open(invitation)
    before = audit.fields_of(invitation, "email", "role")
    audit.record("invitation.removed", invitation, operator=invitation.operator_id, before=before)
    invitation.delete()


@transaction.atomic
def accept_invitation(*, token: str, name: str, password: str) -> User:
    """The person who was invited. The link is used up."""
    invitation = selectors.open_invitation(token, lock=True)
    if invitation is None:
        raise ValidationError({"token": _("This link is no longer good. Ask whoever invited you for another.")})
    given = {"email": invitation.email, "role": invitation.role, "name": name, "password": password}
    with audit.acting(None, via="page", label=invitation.email):
        try:
            user, _password = add_user(operator=invitation.operator, **given)
        except ValidationError as error:
            if "email" not in error.message_dict:
                raise
            text = _("%(email)s has a login here already. Ask whoever invited you to invite another address of yours.")
            raise ValidationError({"token": text % {"email": invitation.email}}) from error
        after = audit.fields_of(user, "email", "name", "role")
        audit.record("person.joined", user, operator=invitation.operator_id, after=after)
    invitation.delete()
    return user


@transaction.atomic
def change_person(*, person: User, by: User | None = None, role: str | None = None, active: bool | None = None) -> User:
    """Another role, switched off or on. An operator keeps an owner, and nobody switches off themselves."""
    person = _locked(person, by)
    before = audit.fields_of(person, "role", "is_active")
    if role is not None:
        _check_role(role)
        person.role = role
    if active is not None:
        if not active and by is not None and by.pk == person.pk:
            raise ValidationError({"active": _("You cannot switch yourself off. Another owner can.")})
        person.is_active = active
    after = audit.fields_of(person, "role", "is_active")
    if after == before:
        return person
    if before == {"role": Role.OWNER, "is_active": True} and not _other_owners(person):
        text = _("%(email)s is the last owner of this network: make somebody else an owner first.")
        raise ValidationError({"role" if role is not None else "active": text % {"email": person.email}})
    person.save(update_fields=["role", "is_active"])
    _record("person.changed", person, before=before, after=after)
    return person


@transaction.atomic
def reset_second_factor(*, person: User, by: User | None = None) -> None:
    """Whoever has lost their telephone logs in by the password alone, until they set up another second factor."""
    person = _locked(person, by)
    if not Authenticator.objects.filter(user=person).delete()[0]:
        raise ValidationError({"person": _("%(email)s has no second factor.") % {"email": person.email}})
    _record("person.second_factor_reset", person)


def note_password_link(*, person: User, by: User | None = None) -> None:
    """Somebody is about to be given a link with which to choose a new password."""
    check_change(person=person, by=by)
    if not person.is_active:
        raise ValidationError({"person": _("%(email)s is switched off: switch them on first.") % {"email": person.email}})
    _record("person.password_link_made", person)


def check_change(*, person: User, by: User | None) -> None:
    """Whether somebody's login may be touched by another: those who run the whole system only by one another."""
    if person.is_superuser and (by is None or not by.is_superuser):
        text = _("%(email)s runs the whole system, so only one who does that too may change this.")
        raise ValidationError({"person": text % {"email": person.email}})


@transaction.atomic
def recover(*, person: User, password: str | None = None) -> str:
    """For whoever sits at the machine: a person who has lost their password, and perhaps their telephone, comes in again.

    A new password, the one given or one made; no second factor; all sessions ended.
    """
    person = User.objects.select_for_update(of=("self",), no_key=True).get(pk=person.pk)
    if not person.is_active:
        raise ValidationError({"person": _("%(email)s is switched off: switch them on first.") % {"email": person.email}})
    password = password or secrets.token_urlsafe(12)
    change_password(user=person, password=password)
    if Authenticator.objects.filter(user=person).delete()[0]:
        _record("person.second_factor_reset", person)
    return password


# One's own login


@transaction.atomic
def rename(*, user: User, name: str) -> None:
    name = plain(name, "name")
    if len(name) > 120:
        raise ValidationError({"name": _("A name has 120 characters at most.")})
    before = {"name": user.name}
    user.name = name
    user.save(update_fields=["name"])
    if before != {"name": name}:
        _record("person.renamed", user, before=before, after={"name": name})


@transaction.atomic
def change_password(*, user: User, password: str) -> None:
    """Ends every session that was begun with the password before."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error
    user.set_password(password)
    user.save(update_fields=["password"])
    _record("person.password_changed", user)


@transaction.atomic
def end_sessions(*, user: User) -> None:
    """Ends all their sessions, in browsers and apps. API keys stay: each is revoked on its own."""
    user.sessions = secrets.token_hex(16)
    user.save(update_fields=["sessions"])
    _record("person.sessions_ended", user)


@transaction.atomic
def revoke_api_key(*, key: ApiKey) -> None:
    before = audit.fields_of(key, "prefix", "scopes", "expires_at")
    audit.record("api_key.revoked", key, operator=key.operator_id, before=before)
    key.delete()


def note_own_change(*, user: User, action: str) -> None:
    """What a person did to their login in allauth's own pages, or in an app, whose requests log in later than ours do."""
    with audit.acting(user, via=audit.current().via):
        _record(action, user)


def _until() -> Any:
    return timezone.now() + INVITATION_LIFE


def _still_open(invitation: Invitation) -> None:
    """Locks it, unless somebody has accepted it or taken it back meanwhile."""
    with scope(operator=invitation.operator_id):
        found = Invitation.objects.select_for_update(of=("self",)).filter(pk=invitation.pk).first()
    if found is None:
        text = _("The invitation of %(email)s was accepted or taken back meanwhile.")
        raise ValidationError({"email": text % {"email": invitation.email}})


def _check_role(role: str) -> None:
    if role not in Role.values:
        text = _('There is no role "%(role)s": use one of %(roles)s.')
        raise ValidationError({"role": text % {"role": role[:40], "roles": ", ".join(Role.values)}})


def _locked(person: User, by: User | None) -> User:
    """The person as the database has them. Changes to the people of one operator go one after the other."""
    check_change(person=person, by=by)
    if person.operator_id is not None:
        Operator.objects.select_for_update(no_key=True).get(pk=person.operator_id)
    return User.objects.select_for_update(of=("self",), no_key=True).get(pk=person.pk)


def _other_owners(person: User) -> bool:
    owners = User.objects.filter(operator=person.operator_id, kind=Kind.STAFF, role=Role.OWNER, is_active=True)
    return owners.exclude(pk=person.pk).exists()


def _record(action: str, person: User, **fields: Any) -> None:
    if person.operator_id is not None:
        audit.record(action, person, operator=person.operator_id, **fields)
