"""allauth's forms in our words: our labels, no placeholders, the cursor in the first field."""

from typing import Any

from allauth.account import forms as account
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _


def plainly(form: forms.Form, **labels: Any) -> None:
    for number, (name, field) in enumerate(form.fields.items()):
        field.label = labels.get(name, field.label)
        field.widget.attrs.pop("placeholder", None)
        if number == 0:
            field.widget.attrs["autofocus"] = True


class LoginForm(account.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plainly(self, login=_("E-mail"), password=_("Password"))
        self.fields["login"].widget.attrs["autocomplete"] = "username"
        self.fields["password"].help_text = ""  # the page has the link


class ReauthenticateForm(account.ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plainly(self, password=_("Password"))
        self.fields["password"].help_text = ""


class ResetPasswordForm(account.ResetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plainly(self, email=_("E-mail"))


class NewPasswordForm(account.ResetPasswordKeyForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["password2"]  # a password that was mistyped is reset once more
        plainly(self, password1=_("New password"))
        self.fields["password1"].help_text = _("At least 8 characters, not digits alone, and none that many others use.")


class CodeForm(mfa.AuthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code(self)


class CodeAgainForm(mfa.ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code(self)


class FirstCodeForm(totp.ActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plainly(self, code=_("The six digits that the app shows"))
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


def _code(form: forms.Form) -> None:
    plainly(form, code=_("Code"))
    form.fields["code"].validators.append(MaxLengthValidator(20))
    form.fields["code"].help_text = _("The six digits that your app shows, or one of your recovery codes.")
