"""Where a driver comes in: signing in, and signing up in the network of the charger they stand at. Both lead back to its plug."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ChangePasswordForm
from allauth.account.utils import get_next_redirect_url, perform_login
from allauth.account.views import LoginView, PasswordChangeView
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import audit, drivers
from accounts.models import Kind, Operator, User
from csms.driver import limits, plugs
from csms.driver.access import driver_of
from csms.people.forms import plainly

SIGN_UPS, SIGN_UPS_S = 30, 3600


class SignIn(LoginView):
    """allauth's: wrong passwords are counted, and a second factor is asked for. Staff are led to their own pages."""

    template_name = "driver/login.html"

    def form_valid(self, form: Any) -> HttpResponse:
        if isinstance(form.user, User) and form.user.kind != Kind.DRIVER:
            return form.login(self.request, redirect_url=reverse("wall"))  # type: ignore[no-any-return]
        return super().form_valid(form)  # type: ignore[no-any-return]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | _way(self.request)  # type: ignore[no-any-return]


class SignUp(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=120, widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "name"})
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least eight characters, and not one that many people use."),
    )


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """In the network of the charger whose page led here, or in the only one there is."""
    if isinstance(request.user, User):
        return redirect(get_next_redirect_url(request) or "driver" if driver_of(request.user) else "wall")
    way = _way(request)
    operator = _operator(way["at"])
    form = SignUp(request.POST or None)
    if request.method == "POST" and operator is not None and form.is_valid():
        if limits.exceeded("sign-up", limits.peer(request), most=SIGN_UPS, within_s=SIGN_UPS_S):
            form.add_error(None, _("Too many accounts were made from here. Wait an hour, or use another connection."))
        elif (driver := _signed_up(operator, form)) is not None:
            answer = perform_login(request, driver, redirect_url=get_next_redirect_url(request) or reverse("driver"), signup=True)
            assert isinstance(answer, HttpResponse)
            return answer
    return render(request, "driver/signup.html", way | {"form": form, "operator": operator}, status=422 if form.errors else 200)


def _signed_up(operator: Operator, form: SignUp) -> User | None:
    """The new account; None: the form says what is wrong."""
    given = form.cleaned_data
    try:
        with audit.acting(None, via="page"):
            return drivers.sign_up(operator=operator, **given, language=get_language() or "")
    except ValidationError as error:
        refuse(form, error)
        return None


def refuse(form: forms.Form, error: ValidationError) -> None:
    """What the rule says, at the field it is about."""
    for name, errors in error.error_dict.items() if hasattr(error, "error_dict") else [("", [error])]:
        form.add_error(name if name in form.fields else None, errors)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    get_adapter(request).logout(request)
    return redirect("driver_login")


class NewPassword(ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["password2"]  # as where a forgotten one is renewed: one that was mistyped is
        plainly(self, oldpassword=_("Your password now"), password1=_("New password"))


class ChangePassword(PasswordChangeView):
    """Behind `access.drivers`."""

    form_class = NewPassword

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        messages.success(self.request, _("Your password is changed."))
        return answer  # type: ignore[no-any-return]

    template_name = "driver/password.html"

    def get_default_success_url(self) -> str:
        return reverse("driver_account")


def _way(request: HttpRequest) -> dict[str, Any]:
    """What leads back, for the templates: the address, and the plug at it, whose price comes before any account."""
    back_to = get_next_redirect_url(request) or ""
    at = _at(back_to)
    return {"back_to": back_to, "at": at, "operator": at.station.operator if at else None}


def _at(back_to: str) -> plugs.Place | None:
    """The plug whose page led here."""
    try:
        match = resolve(back_to.partition("?")[0]) if back_to.startswith("/") else None
    except Resolver404:
        return None
    if match is None or match.url_name != "plug":
        return None
    return plugs.find(match.kwargs["identity"], match.kwargs["evse"])


def _operator(at: plugs.Place | None) -> Operator | None:
    """In whose network an account is made here; None: nobody can tell, or drivers do not sign up there by themselves."""
    if at is not None:
        return at.station.operator if at.station.operator.open_to_drivers else None
    try:
        return drivers.operator_to_join(None)
    except ValidationError:
        return None
