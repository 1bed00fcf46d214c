"""Drivers: people who charge in the network of one operator. They sign up and go by themselves; the operator gives them id tags
and blocks them. Wrong input raises Django's ValidationError with cause and remedy."""

import base64
import secrets
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope, scopes_disabled

from accounts import audit
from accounts.models import AuditEntry, FormerIdTag, IdToken, IdTokenStatus, IdTokenType, Kind, Operator, User
from accounts.services import add_id_token, choose_language
from accounts.tokens import plain, taken

#: Why the tokens of somebody who left are blocked.
LEFT = "The driver has deleted their account."


def operator_to_join(code: str | None) -> Operator:
    """The network of that code, or without one the only one there is, if drivers may sign up there."""
    open_ones = Operator.objects.filter(open_to_drivers=True)
    found = list(open_ones.filter(code=code) if code else open_ones[:2])
    if len(found) == 1:
        return found[0]
    if code or not found:
        raise ValidationError({"operator": _("There is no network of that code in which drivers sign up by themselves.")})
    raise ValidationError({"operator": _("There are several networks: say by its code in which one you want to charge.")})


def sign_up(*, email: str, password: str, operator: Operator, name: str = "", language: str = "") -> User:
    """A driver of the operator's network, with an id token that is theirs."""
    driver = User(email=email.strip().lower())
    try:
        validate_password(password, driver)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from error
    driver.set_password(password)
    return join(driver=driver, operator=operator, name=name, language=language)


@transaction.atomic
def join(*, driver: User, operator: Operator, name: str = "", language: str = "") -> User:
    """Saves a driver whose e-mail address and password are set, and makes their id token: for whoever has checked both."""
    if not operator.open_to_drivers:
        raise ValidationError({"operator": _("Drivers do not sign up by themselves in this network: ask its operator.")})
    driver.kind, driver.operator = Kind.DRIVER, operator
    driver.name = plain(name, "name")
    driver.clean_fields(exclude=["role"])
    try:
        with transaction.atomic():
            driver.save(force_insert=True)
    except IntegrityError as error:
        raise taken(
            "email", _("This e-mail address has an account already, here or in another network: log in, or take another.")
        ) from error
    if language:
        choose_language(user=driver, language=language)
        driver.language = language
    # 80 random bits: nobody guesses it. OCPP 1.6 takes 20 characters at most.
    value = base64.b32encode(secrets.token_bytes(10)).decode()
    token = add_id_token(operator=operator, value=value, type=IdTokenType.CENTRAL.value)
    with scope(operator=operator):
        IdToken.objects.filter(pk=token.pk).update(driver=driver)
    with audit.acting(driver, via=audit.current().via):
        audit.record("driver.signed_up", driver, operator=operator, after={"email": driver.email})
    return driver


def change(*, driver: User, name: str | None = None, language: str | None = None) -> User:
    """What a driver may change of themselves; None: it stays."""
    if name is not None:
        driver.name = plain(name, "name")
        driver.clean_fields(exclude=[field.name for field in User._meta.fields if field.name != "name"])
        User.objects.filter(pk=driver.pk).update(name=driver.name)
    if language is not None:
        choose_language(user=driver, language=language)
        driver.language = language
    return driver


def of_network(person: User | AnonymousUser) -> QuerySet[User]:
    """The drivers whom somebody of the staff may see: those of their network, of all for a superuser without one."""
    found = User.objects.filter(kind=Kind.DRIVER)
    if not isinstance(person, User) or (person.operator_id is None and not person.is_superuser):
        return found.none()
    return found if person.operator_id is None else found.filter(operator=person.operator_id)


def token_of(driver: User) -> IdToken | None:
    """The token with which the driver starts by app and web: the one made at sign-up."""
    with scope(operator=driver.operator_id):
        return IdToken.objects.filter(driver=driver, type=IdTokenType.CENTRAL, driver_since=None).order_by("pk").first()


@transaction.atomic
def add_id_tag(*, driver: User, value: str, type: str = IdTokenType.ISO14443.value) -> IdToken:
    """The operator gives a driver a card: a new one, or one of the network that is nobody's."""
    operator = _locked(driver)
    with scope(operator=operator):
        key = plain(value, "value").upper()
        token = IdToken.objects.select_for_update(of=("self",)).filter(key=key, type=type).first()
        if token is None:
            token = add_id_token(operator=operator, value=value, type=type)
        elif token.driver_id == driver.pk:
            return token
        elif token.driver_id is not None:
            raise taken("value", _("The id tag %(tag)s is another driver's: take it from them first.") % {"tag": token.value})
        token.driver, token.driver_since = driver, timezone.now()
        token.save(update_fields=["driver", "driver_since"])
        if driver.blocked_because and token.status == IdTokenStatus.ACCEPTED:
            _set_status([token], IdTokenStatus.BLOCKED, driver.blocked_because)
        audit.record("driver.id_tag_added", driver, operator=operator, after={"id_tag": token.value})
    return token


@transaction.atomic
def remove_id_tag(*, driver: User, token: IdToken) -> None:
    """Takes a card from a driver. It stays the network's, and what they charged with it in their history; the one made at sign-up
    stays the driver's."""
    operator = _locked(driver)
    with scope(operator=operator):
        given = IdToken.objects.select_for_update(of=("self",)).filter(pk=token.pk, driver=driver).first()
        if given is None:
            raise ValidationError(_("This id tag is not the driver's."))
        if given.driver_since is None:
            raise ValidationError(_("With this one the driver starts by app: block the driver instead."))
        FormerIdTag.objects.create(driver=driver, token=given, since=given.driver_since, until=timezone.now())
        IdToken.objects.filter(pk=token.pk).update(driver=None, driver_since=None)
    audit.record("driver.id_tag_removed", driver, operator=operator, before={"id_tag": token.value})


@transaction.atomic
def block(*, driver: User, because: str) -> User:
    """The driver may not charge any more, by app or card. They can still log in, and read why and what they charged."""
    operator, because = _locked(driver), plain(because, "because")
    if not because:
        raise ValidationError({"because": _("Say why: the driver reads it.")})
    before, driver.blocked_because = driver.blocked_because, because
    driver.clean_fields(exclude=[field.name for field in User._meta.fields if field.name != "blocked_because"])
    driver.save(update_fields=["blocked_because"])
    with scope(operator=operator):
        tokens = IdToken.objects.filter(driver=driver)
        if before:
            tokens.filter(status=IdTokenStatus.BLOCKED, blocked_because=before).update(blocked_because=because)
        _set_status(tokens.filter(status=IdTokenStatus.ACCEPTED), IdTokenStatus.BLOCKED, because)
    audit.record(
        "driver.blocked",
        driver,
        operator=operator,
        before={"blocked_because": before},
        after={"blocked_because": because},
        note=because,
    )
    return driver


@transaction.atomic
def unblock(*, driver: User) -> User:
    """They may charge again, with the tags that were blocked with them; one that was blocked for another reason stays so."""
    operator, because = _locked(driver), driver.blocked_because
    if not because:
        return driver
    driver.blocked_because = ""
    driver.save(update_fields=["blocked_because"])
    with scope(operator=operator):
        _set_status(IdToken.objects.filter(driver=driver, blocked_because=because), IdTokenStatus.ACCEPTED, "")
    audit.record("driver.unblocked", driver, operator=operator, before={"blocked_because": because}, after={"blocked_because": ""})
    return driver


@transaction.atomic
def delete_account(*, driver: User) -> None:
    """Forgets a driver for good: their address, name, password and logins. What they charged stays, as nobody's, as the law on
    receipts wants; their tags start nothing any more."""
    if not User.objects.select_for_update().filter(pk=driver.pk):
        return  # asked twice
    operator = _locked(driver)
    with scope(operator=operator):
        # Locked, so that they start nothing and no card of theirs is given away meanwhile.
        tokens = list(IdToken.objects.select_for_update(of=("self",)).filter(driver=driver))
        if IdToken.objects.filter(driver=driver, transactions__status="active").exists():
            raise ValidationError(_("You are charging: stop it first, then delete your account."))
        _set_status(tokens, IdTokenStatus.BLOCKED, LEFT)
        IdToken.objects.filter(driver=driver).update(driver=None, driver_since=None, note="")
        nobody = f"driver {driver.pk}"
        entries = AuditEntry.objects.all()
        entries.filter(actor=driver).update(actor_label=nobody)
        about = entries.filter(object_type="user", object_id=str(driver.pk))
        about.update(object_label=nobody, before={}, after={}, note="")
        for entry in entries.filter(object_type="idtoken", object_id__in=[str(token.pk) for token in tokens]):
            entry.before, entry.after = _without_words(entry.before), _without_words(entry.after)
            entry.save(update_fields=["before", "after"])
        # By themselves, of whom only the number is left; or by whoever did it for them.
        actor = audit.current()
        by = (None, nobody) if actor.user is None or actor.user == driver else (actor.user, actor.label)
        with audit.acting(by[0], via=actor.via, label=by[1]):
            audit.record("driver.deleted", operator=operator, label=nobody)
    with scopes_disabled():
        driver.delete()


def _without_words(values: dict[str, Any]) -> dict[str, Any]:
    """What was done to an id tag, without what somebody wrote about its driver."""
    return {name: value for name, value in values.items() if name not in ("note", "blocked_because")}


def _locked(driver: User) -> Operator:
    """The driver's network. What is done to one driver goes one after the other: whether they are blocked is read anew."""
    if driver.kind != Kind.DRIVER or driver.operator is None:
        raise ValidationError(_("%(person)s is no driver.") % {"person": driver.email})
    try:
        locked = User.objects.select_for_update(of=("self",), no_key=True)
        driver.refresh_from_db(fields=["blocked_because"], from_queryset=locked)
    except User.DoesNotExist as error:
        raise ValidationError(_("%(person)s is no driver.") % {"person": driver.email}) from error
    return driver.operator


def _set_status(tokens: Any, status: str, because: str) -> None:
    pks = [token.pk for token in tokens]
    IdToken.objects.filter(pk__in=pks).update(status=status, blocked_because=because)
