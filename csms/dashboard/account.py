"""My account: name and language, password, second factor, sessions and API keys. Everybody's own."""

from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts import people, services
from accounts.models import ApiKey, User
from accounts.permissions import KEY_SCOPES, may
from csms.dashboard.access import own
from csms.people.adapter import Adapter

#: Where the session keeps a new key until the next page shows it, once.
FRESH = "account_key"
LIVES = [
    ("", gettext_lazy("for ever")),
    ("30", gettext_lazy("30 days")),
    ("90", gettext_lazy("90 days")),
    ("365", gettext_lazy("a year")),
]
#: What programs may be limited to, in words.
SCOPES = {
    "read": gettext_lazy("read everything"),
    "tags.change": gettext_lazy("change id tags"),
    "commands.send": gettext_lazy("send commands"),
    "stations.change": gettext_lazy("change chargers"),
    "firmware.change": gettext_lazy("change firmware"),
    "logs.fetch": gettext_lazy("fetch logs of chargers"),
    "webhooks.change": gettext_lazy("change webhooks"),
    "audit.view": gettext_lazy("read the audit"),
    "people.change": gettext_lazy("change people"),
}


class ProfileForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), required=False, max_length=120, widget=forms.TextInput({"autocomplete": "name"})
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        choices=[("", gettext_lazy("As the browser asks")), *settings.LANGUAGES],
    )


class PasswordForm(forms.Form):
    old = forms.CharField(
        label=gettext_lazy("Password now"), strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )
    password = forms.CharField(
        label=gettext_lazy("New password"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least 8 characters, not digits alone, and none that many others use."),
    )


class KeyForm(forms.Form):
    scopes = forms.MultipleChoiceField(label=gettext_lazy("What it may do"), required=False, widget=forms.CheckboxSelectMultiple)
    life = forms.ChoiceField(label=gettext_lazy("Good for"), required=False, choices=LIVES)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = [scope for scope in (*SCOPES, *sorted(KEY_SCOPES - set(SCOPES))) if scope == "read" or may(user, scope)]
        self.fields["scopes"].choices = [(scope, SCOPES.get(scope, scope)) for scope in allowed]  # type: ignore[attr-defined]


@require_safe
@own
def show_account(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
@own
def save_profile(request: HttpRequest) -> HttpResponse:
    user, form = _me(request), ProfileForm(request.POST)
    if form.is_valid():
        try:
            people.rename(user=user, name=form.cleaned_data["name"])
            services.choose_language(user=user, language=form.cleaned_data["language"])
        except ValidationError as error:
            _refuse(form, error)
    if form.errors:
        return _page(request, profile=form)
    messages.success(request, _("Your account is changed."))
    return redirect("account")


@sensitive_post_parameters()
@require_POST
@own
def save_password(request: HttpRequest) -> HttpResponse:
    user, form = _me(request), PasswordForm(request.POST)
    if form.is_valid():
        adapter = Adapter(request)
        try:
            # Counted as wrong passwords at the login are.
            if not adapter.reauthenticate(user, form.cleaned_data["old"]):
                form.add_error("old", adapter.validation_error("incorrect_password"))
            else:
                people.change_password(user=user, password=form.cleaned_data["password"])
        except ValidationError as error:
            _refuse(form, error)
    if form.errors:
        return _page(request, password=form)
    update_session_auth_hash(request, user)
    messages.success(request, _("Your password is changed. Other browsers and apps are logged out."))
    return redirect("account")


@require_POST
@own
def end_sessions(request: HttpRequest) -> HttpResponse:
    user = _me(request)
    people.end_sessions(user=user)
    update_session_auth_hash(request, user)
    messages.success(request, _("You are logged out everywhere but here."))
    return redirect("account")


@require_POST
@own
def add_key(request: HttpRequest) -> HttpResponse:
    user = _me(request)
    form = KeyForm(user, request.POST)
    if form.is_valid():
        life = form.cleaned_data["life"]
        expires_at = timezone.now() + timedelta(days=int(life)) if life else None
        try:
            row, key = services.create_api_key(user=user, scopes=form.cleaned_data["scopes"], expires_at=expires_at)
        except ValidationError as error:
            _refuse(form, error)
        else:
            request.session[FRESH] = {"prefix": row.prefix, "key": key}
            return redirect("account")
    return _page(request, key=form)


@require_POST
@own
def revoke_key(request: HttpRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=pk, user=_me(request))
    people.revoke_api_key(key=key)
    messages.success(request, _("The key %(prefix)s… is revoked: it opens nothing any more.") % {"prefix": key.prefix})
    return redirect("account")


def _page(request: HttpRequest, **forms_given: forms.Form) -> HttpResponse:
    """The page, with the form that was not right, if one was not."""
    user = _me(request)
    known = {"name": user.name, "language": user.language}
    context = {
        "profile": forms_given.get("profile") or ProfileForm(initial=known),
        "password": forms_given.get("password") or PasswordForm(),
        "key_form": forms_given.get("key") or KeyForm(user),
        "second_factor": Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first(),
        "keys": [(key, [SCOPES.get(scope, scope) for scope in key.scopes]) for key in ApiKey.objects.filter(user=user)],
        "may_have_keys": user.operator_id is not None,
        "fresh": request.session.pop(FRESH, None),
        "now": timezone.now(),
    }
    return render(request, "dashboard/account.html", context, status=422 if forms_given else 200)


def _refuse(form: forms.Form, error: ValidationError) -> None:
    """Show what the service said, each sentence at its field."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)


def _me(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # `own` lets nobody anonymous in
    return request.user
