"""Coming in by an invitation: a name, a password, and one is in."""

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.decorators import rate_limit
from django import forms
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.people import accept_invitation
from accounts.selectors import open_invitation


class JoinForm(forms.Form):
    name = forms.CharField(
        label=_("Your name"), max_length=120, widget=forms.TextInput({"autocomplete": "name", "autofocus": True})
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=_("At least 8 characters, not digits alone, and none that many others use."),
    )


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@rate_limit(action="signup")
def join(request: HttpRequest, token: str) -> HttpResponse:
    invitation = open_invitation(token)
    form = JoinForm(request.POST if request.method == "POST" else None)
    if invitation is not None and request.method == "POST" and form.is_valid():
        try:
            user = accept_invitation(token=token, **form.cleaned_data)
        except ValidationError as error:
            for name, errors in error.error_dict.items():
                form.add_error(name if name in form.fields else None, errors)
        else:
            if request.user.is_authenticated:
                logout(request)  # somebody else, in the same browser
            login = Login(user=user, email=user.email)
            answer: HttpResponse = perform_password_login(request, {"email": user.email}, login)
            return answer
    # 404: like one that never was.
    status = 404 if invitation is None else 422 if form.errors else 200
    return render(request, "account/join.html", {"invitation": invitation, "form": form}, status=status)
