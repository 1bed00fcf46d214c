"""What is done to operators, people, keys and id tokens. Wrong input raises Django's ValidationError with cause and remedy."""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django_scopes import scope

from accounts import audit
from accounts.imports import import_id_tokens
from accounts.models import ApiKey, IdToken, IdTokenGroup, IdTokenStatus, IdTokenType, Operator, Role, SavedView, User
from accounts.permissions import KEY_SCOPES
from accounts.selectors import digest_of
from accounts.tokens import TOLD, fill, group_name, plain, taken

__all__ = [
    "add_id_token",
    "add_operator",
    "add_user",
    "change_id_token",
    "choose_language",
    "create_api_key",
    "delete_id_token",
    "delete_view",
    "import_id_tokens",
    "note_key_use",
    "open_to_drivers",
    "save_view",
    "set_terms",
]

#: `last_used_at` of a key is written this often at most.
KEY_USE_NOTED_EVERY = timedelta(minutes=1)
#: Views a person keeps of one list.
MOST_VIEWS = 30
#: API keys of one person; all of them are on their page.
MOST_KEYS = 100


def add_operator(*, name: str) -> Operator:
    operator = Operator(name=plain(name, "name"))
    operator.code = _code(operator.name)
    operator.clean_fields()
    try:
        with transaction.atomic():
            operator.save(force_insert=True)
            audit.record("operator.added", operator, operator=operator, after={"name": operator.name})
    except IntegrityError as error:
        raise taken("name", f'There is an operator "{operator.name}" already.') from error
    return operator


def _code(name: str) -> str:
    """By which drivers' apps name the operator."""
    code = slugify(name)[:32] or "network"
    return f"{code}-{secrets.token_hex(3)}" if Operator.objects.filter(code=code).exists() else code


def open_to_drivers(*, operator: Operator, to: bool) -> Operator:
    """Whether drivers may sign up by themselves in the network."""
    before, operator.open_to_drivers = operator.open_to_drivers, to
    with transaction.atomic():
        operator.save(update_fields=["open_to_drivers"])
        was, now = {"open_to_drivers": before}, {"open_to_drivers": to}
        audit.record("operator.changed", operator, operator=operator, before=was, after=now)
    return operator


#: What an operator may keep for a shorter time than the system, as in the names of its fields and of the settings.
TERMS = ("messages", "samples", "status", "connections")


@transaction.atomic
def set_terms(*, operator: Operator, **days: int | None) -> Operator:
    """For how many days the operator keeps messages, samples, status changes, connections; None: as long as the system does."""
    changed = [f"keep_{kind}_days" for kind in days if kind in TERMS]
    before = audit.fields_of(operator, *changed)
    for kind, term in days.items():
        if kind not in TERMS:
            raise ValidationError({kind: f"There is no term for {kind}: use {', '.join(TERMS)}."})
        months = settings.KEEP_MONTHS[kind]
        if term is not None and not 1 <= term <= months * 28:
            wrong = f"{term} days of {kind}: say 1 to {months * 28}, since the system keeps them for {months} months anyway."
            raise ValidationError({kind: wrong})
        setattr(operator, f"keep_{kind}_days", term)
    operator.save(update_fields=changed)
    audit.record("operator.changed", operator, operator=operator, before=before, after=audit.fields_of(operator, *changed))
    return operator


def add_user(*, email: str, operator: Operator, role: str, password: str | None = None, name: str = "") -> tuple[User, str]:
    """A person who may log in, and their password: the one given, else one made."""
    if role not in Role.values:
        raise ValidationError({"role": f'There is no role "{role}": use one of {", ".join(Role.values)}.'})
    user = User(email=email.strip().lower(), operator=operator, role=role, name=plain(name, "name"))
    if password is None:
        password = secrets.token_urlsafe(12)
    else:
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise ValidationError({"password": error.messages}) from error
    user.set_password(password)
    user.clean_fields()
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            audit.record("user.added", user, operator=operator, after=audit.fields_of(user, "email", "name", "role"))
    except IntegrityError as error:
        raise taken("email", f"There is a user {user.email} already.") from error
    return user, password


def choose_language(*, user: User, language: str) -> None:
    """The language in which a person reads the pages; "": the one the browser asks for."""
    if language and language not in dict(settings.LANGUAGES):
        raise ValidationError({"language": _("There is no language %(code)s here.") % {"code": language}})
    User.objects.filter(pk=user.pk).update(language=language)


def create_api_key(*, user: User, scopes: Iterable[str] = (), expires_at: datetime | None = None) -> tuple[ApiKey, str]:
    """A key that acts for the user, and its text, which is not kept."""
    wanted = sorted(set(scopes))
    if unknown := set(wanted) - KEY_SCOPES:
        raise ValidationError(
            {"scopes": f"There is no scope {', '.join(sorted(unknown))}: use {', '.join(sorted(KEY_SCOPES))}, or none for all."}
        )
    if user.operator is None:
        raise ValidationError({"user": f"{user.email} belongs to no operator, so a key would have no network to act on."})
    if not user.is_active:
        raise ValidationError({"user": f"{user.email} is not active."})
    if ApiKey.objects.filter(user=user).count() >= MOST_KEYS:
        raise ValidationError({"user": _("There are %(most)s API keys already: revoke one first.") % {"most": MOST_KEYS}})
    prefix = f"csms_{secrets.token_hex(3)}"
    key = f"{prefix}_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        row = ApiKey.objects.create(
            operator=user.operator, user=user, prefix=prefix, digest=digest_of(key), scopes=wanted, expires_at=expires_at
        )
        audit.record("api_key.added", row, operator=user.operator, after=audit.fields_of(row, "user", "scopes", "expires_at"))
    return row, key


def note_key_use(*, key: ApiKey) -> None:
    """Remembers that the key was used just now, at most once a minute."""
    now = timezone.now()
    due = now - KEY_USE_NOTED_EVERY
    if key.last_used_at is None or key.last_used_at < due:
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=due)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)


def add_id_token(
    *,
    operator: Operator,
    value: str,
    type: str = IdTokenType.ISO14443.value,
    status: str = IdTokenStatus.ACCEPTED.value,
    group: str | None = None,
    expires_at: datetime | None = None,
    note: str = "",
    blocked_because: str = "",
) -> IdToken:
    """An id token of the operator; `group` is a name and is made if there is none."""
    given = {
        "value": value,
        "type": type,
        "status": status,
        "expires_at": expires_at,
        "note": note,
        "blocked_because": blocked_because,
    }
    return _save(IdToken(operator=operator), given | {"group": group}, "id_token.added")


@transaction.atomic
def change_id_token(*, token: IdToken, **changes: Any) -> IdToken:
    """Sets the fields given, of those that `add_id_token` takes; the others stay."""
    with scope(operator=token.operator_id):
        locked = IdToken.objects.select_for_update(of=("self",)).select_related("group").get(pk=token.pk)
    return _save(locked, changes, "id_token.changed", audit.fields_of(locked, *TOLD))


@transaction.atomic
def delete_id_token(*, token: IdToken) -> None:
    """Forgets a token. Its transactions keep the value that the station presented."""
    if token.driver_id is not None and token.type == IdTokenType.CENTRAL and token.driver_since is None:
        raise ValidationError(_("With this one the driver starts by app: block the driver instead."))
    audit.record("id_token.removed", token, operator=token.operator_id, before=audit.fields_of(token, *TOLD))
    token.delete()


@transaction.atomic
def _save(token: IdToken, changes: dict[str, Any], done: str, before: dict[str, Any] | None = None) -> IdToken:
    with scope(operator=token.operator_id):
        group = changes.pop("group", ...)
        fill(token, **changes)
        if group is not ...:
            name = group_name(group)
            token.group = IdTokenGroup.objects.get_or_create(operator_id=token.operator_id, name=name)[0] if name else None
        try:
            with transaction.atomic():
                token.save()
        except IntegrityError as error:
            text = _("There is an id tag %(tag)s of type %(type)s already (upper and lower case are the same).")
            raise taken("value", text % {"tag": token.value, "type": token.type}) from error
        audit.record(done, token, operator=token.operator_id, before=before, after=audit.fields_of(token, *TOLD))
    return token


def save_view(*, user: User, page: str, name: str, query: str) -> SavedView:
    """Keeps a list under a name; a view of that name is replaced."""
    view = SavedView(user=user, page=page, name=plain(name, "name"), query=query)
    view.clean_fields()
    others = SavedView.objects.filter(user=user, page=page).exclude(name=view.name)
    if others.count() >= MOST_VIEWS:
        raise ValidationError({"name": _("You keep %(most)s views of this list already: delete one first.") % {"most": MOST_VIEWS}})
    return SavedView.objects.update_or_create(user=user, page=page, name=view.name, defaults={"query": query})[0]


def delete_view(*, view: SavedView) -> None:
    view.delete()
