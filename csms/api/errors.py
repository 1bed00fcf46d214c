"""The one place that maps exceptions to HTTP: every error is an `application/problem+json` (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core import exceptions as django
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler

from csms.api.parsers import TooLarge
from stations.domain.commands import BadCommand

NON_FIELD_ERRORS_KEY = api_settings.NON_FIELD_ERRORS_KEY

#: What to do about what the framework only names.
REMEDIES: dict[type[exceptions.APIException], str] = {
    exceptions.NotAuthenticated: 'No key was sent: send the header "Authorization: Api-Key <key>".',
    exceptions.UnsupportedMediaType: 'The body is not said to be JSON: send it with "Content-Type: application/json".',
    exceptions.NotAcceptable: 'Only JSON can be had: send "Accept: application/json" or no Accept at all.',
}


def problem_json(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER. What is no fault of the client stays an exception, and Django answers 500."""
    if isinstance(error, django.ValidationError):
        error = _refused(error)
    elif isinstance(error, BadCommand):
        error = exceptions.ParseError(str(error))
    elif isinstance(error, django.RequestDataTooBig):  # read before our parser could
        error = TooLarge()
    for kind, words in REMEDIES.items():
        if isinstance(error, kind) and isinstance(error, exceptions.APIException):
            error.detail = exceptions.ErrorDetail(words)
    response = exception_handler(error, context)
    if response is None:
        return None
    title = HTTPStatus(response.status_code).phrase
    problem: dict[str, Any] = {"type": "about:blank", "title": title, "status": response.status_code}
    if isinstance(response.data, dict) and set(response.data) == {"detail"}:
        problem["detail"] = str(response.data["detail"])
    else:
        errors = response.data if isinstance(response.data, dict) else {"": response.data}
        errors = {"" if name == NON_FIELD_ERRORS_KEY else name: lines for name, lines in errors.items()}
        problem["detail"] = "; ".join(_lines(errors)) or title
        problem["errors"] = errors
    if isinstance(error, Refused):
        problem["code"] = error.code
    response.data = problem
    response.content_type = "application/problem+json"
    return response


class Conflict(exceptions.APIException):
    """It makes sense, but not as things stand."""

    status_code = HTTPStatus.CONFLICT


class Refused(Conflict):
    """The same, with a word for programs."""

    def __init__(self, detail: str, code: str) -> None:
        super().__init__(detail)
        self.code = code


class Taken(Conflict):
    """Something of that name is there already."""


class TooMany(exceptions.Throttled):
    """More than CSMS_API_RATE requests in a minute."""

    def __init__(self, wait: float) -> None:
        super().__init__(
            wait, f"One key or login may make {settings.API_RATE} requests a minute: ask for more rows at a time, or less often."
        )


def _refused(error: django.ValidationError) -> exceptions.APIException:
    """A service's refusal: 409 where only uniqueness stood in the way, else 400."""
    if not hasattr(error, "error_dict"):
        return exceptions.ValidationError({"": error.messages})
    codes = {one.code for errors in error.error_dict.values() for one in errors}
    refused: type[exceptions.APIException] = Taken if codes == {"unique"} else exceptions.ValidationError
    return refused(error.message_dict)


def _lines(errors: Any, name: str = "") -> list[str]:
    if isinstance(errors, dict):
        return [line for key, value in errors.items() for line in _lines(value, str(key))]
    if isinstance(errors, list):
        return [line for value in errors for line in _lines(value, name)]
    return [f"{name}: {errors}" if name else str(errors)]
