"""Links that let somebody in once: invitations, and to choose a new password."""

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import Invitation, User
from csms.people.adapter import Adapter


def invitation_link(request: HttpRequest, token: str) -> str:
    return request.build_absolute_uri(reverse("join", args=[token]))


def mail_invitation(request: HttpRequest, invitation: Invitation, link: str) -> bool:
    context = {"invitation": invitation, "link": link, "inviter": request.user}
    return Adapter(request).send_mail("account/email/invitation", invitation.email, context)


def password_link(request: HttpRequest, person: User) -> str:
    """As in the mail to whoever has forgotten theirs: good for three days, and once."""
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    return Adapter(request).get_reset_password_from_key_url(f"{user_pk_to_url_str(person)}-{token}")
