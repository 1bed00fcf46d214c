"""allauth's forms in our words."""

from typing import Any

from allauth.account import forms as account
from django import forms
from django.utils.translation import gettext_lazy as _


def plainly(form: forms.Form, **labels: Any) -> None:
    """Our labels, no placeholders, the cursor in the first field."""
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
