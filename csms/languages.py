"""The language of the pages: the one a person has chosen, else that of the cookie of the page to log in, else the browser's."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from accounts import services
from accounts.models import User


class ChosenLanguage:
    """After LocaleMiddleware, which knows of the cookie and the browser only. The API speaks one language to its programs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if request.path.startswith("/api/"):
            translation.activate(settings.LANGUAGE_CODE)
        elif isinstance(user, User) and user.language:
            translation.activate(user.language)
        request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep a language for the person, and in a cookie for the page to log in; empty: as the browser asks."""
    language = request.POST.get("language", "")
    if isinstance(request.user, User):
        try:
            services.choose_language(user=request.user, language=language)
        except ValidationError as error:
            raise BadRequest("language") from error
    answer = set_language(request)
    if not language:
        answer.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")
    return answer
