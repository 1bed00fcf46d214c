"""A driver's account: their name, their id tags, their password, and the way out."""

from typing import Any

from allauth.account.adapter import get_adapter
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import audit, drivers
from csms.driver import limits
from csms.driver.access import drivers as drivers_only
from csms.driver.doors import refuse
from csms.driver.views import me
from stations import charging as look

TRIES, TRIES_S = 5, 300


class NameForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=120, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )


class SureForm(forms.Form):
    """The password, so that a phone left open does not lose its owner their account."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@drivers_only
def show_account(request: HttpRequest) -> HttpResponse:
    driver = me(request)
    form = NameForm(request.POST if request.method == "POST" else None, initial={"name": driver.name})
    if request.method == "POST" and form.is_valid():
        try:
            with audit.acting(driver, via="page"):
                drivers.change(driver=driver, name=form.cleaned_data["name"])
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("driver_account")
    context = {"form": form, "tags": look.tokens(driver)}
    return render(request, "driver/account.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@drivers_only
def delete_account(request: HttpRequest) -> HttpResponse:
    driver = me(request)
    form = SureForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if limits.exceeded("delete", str(driver.pk), most=TRIES, within_s=TRIES_S):
            form.add_error(None, _("Too many tries. Wait five minutes, then try again."))
        elif not driver.check_password(form.cleaned_data["password"]):
            form.add_error("password", _("This is not your password. Passwords tell capitals from small letters."))
        else:
            return _deleted(request, form)
    return render(request, "driver/delete.html", {"form": form}, status=422 if form.errors else 200)


def _deleted(request: HttpRequest, form: SureForm) -> Any:
    driver = me(request)
    try:
        with audit.acting(driver, via="page"):
            drivers.delete_account(driver=driver)
    except ValidationError as error:
        refuse(form, error)
        return render(request, "driver/delete.html", {"form": form}, status=422)
    get_adapter(request).logout(request)
    messages.success(request, _("Your account is deleted. What you charged stays on the network's books, without your name."))
    return redirect("driver_login")
