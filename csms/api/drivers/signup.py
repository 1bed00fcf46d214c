"""How drivers sign up in an app: allauth's own way, with what a driver of ours needs besides."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts import audit, drivers
from accounts.models import Operator, User
from accounts.tokens import plain
from csms.people import adapter

P = ParamSpec("P")
T = TypeVar("T")


def at_its_field(rule: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """A rule of ours, whose refusal names the field, asked by a form that knows which it is."""
    try:
        return rule(*args, **kwargs)
    except ValidationError as error:
        raise ValidationError(error.messages) from error


class SignUp(forms.Form):
    """The fields besides e-mail address and password. `operator`: the code of the network, if there are several."""

    name = forms.CharField(max_length=120, required=False)
    operator = forms.CharField(max_length=40, required=False)
    language = forms.ChoiceField(choices=settings.LANGUAGES, required=False)

    def clean_name(self) -> str:
        return at_its_field(plain, self.cleaned_data["name"], "name")

    def clean_operator(self) -> Operator:
        return at_its_field(drivers.operator_to_join, self.cleaned_data["operator"])

    def signup(self, request: HttpRequest, user: User) -> None:
        """allauth asks for it; `Adapter.save_user` has done everything."""


class Adapter(adapter.Adapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """To drivers, in an app. Staff come by invitation."""
        return hasattr(getattr(request, "allauth", None), "headless") or super().is_open_for_signup(request)

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        given = form.cleaned_data
        user.email = given["email"]
        user.set_password(given["password"])
        with audit.acting(None, via="api"):
            return drivers.join(driver=user, operator=given["operator"], name=given["name"], language=given["language"])
