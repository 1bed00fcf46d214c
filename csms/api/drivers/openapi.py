"""What OpenAPI says of logging in, which is allauth's: the operations an app needs, as allauth answers them."""

from typing import Any

from django.conf import settings
from django.urls import reverse

TOKENS = {
    "session_token": {"type": "string", "description": "For a login that has another step; show it as X-Session-Token."},
    "access_token": {
        "type": "string",
        "description": f"Show it as `Authorization: Bearer`, for {settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN} seconds.",
    },
    "refresh_token": {"type": "string", "description": "For new tokens, once; it is worth as long as the login."},
}
SCHEMAS: dict[str, Any] = {
    "SignUp": {
        "type": "object",
        "required": ["email", "password"],
        "properties": {
            "email": {"type": "string", "format": "email"},
            "password": {"type": "string"},
            "name": {"type": "string", "maxLength": 120},
            "operator": {"type": "string", "description": "The code of the network; may be left out where there is only one."},
            "language": {"type": "string", "enum": [code for code, _ in settings.LANGUAGES]},
        },
    },
    "Login": {
        "type": "object",
        "required": ["email", "password"],
        "properties": {"email": {"type": "string", "format": "email"}, "password": {"type": "string"}},
    },
    "SecondFactor": {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}},
    "Refresh": {"type": "object", "required": ["refresh_token"], "properties": {"refresh_token": {"type": "string"}}},
    "Email": {"type": "object", "required": ["email"], "properties": {"email": {"type": "string", "format": "email"}}},
    "NewPassword": {
        "type": "object",
        "required": ["current_password", "new_password"],
        "properties": {"current_password": {"type": "string"}, "new_password": {"type": "string"}},
    },
    "LoggedIn": {
        "type": "object",
        "description": "Whose login it is, and when it began its tokens.",
        "required": ["status", "meta"],
        "properties": {
            "status": {"type": "integer"},
            "data": {
                "type": "object",
                "properties": {
                    "user": {
                        "type": "object",
                        "properties": {
                            "id": {"type": "integer"},
                            "display": {"type": "string"},
                            "email": {"type": "string"},
                            "has_usable_password": {"type": "boolean"},
                        },
                    },
                    "flows": {
                        "type": "array",
                        "description": "What is to be done before one is logged in.",
                        "items": {
                            "type": "object",
                            "properties": {"id": {"type": "string"}, "is_pending": {"type": "boolean"}},
                        },
                    },
                },
            },
            "meta": {
                "type": "object",
                "required": ["is_authenticated"],
                "properties": {"is_authenticated": {"type": "boolean"}, **TOKENS},
            },
        },
    },
    "Refreshed": {
        "type": "object",
        "required": ["status", "data"],
        "properties": {
            "status": {"type": "integer"},
            "data": {
                "type": "object",
                "required": ["access_token"],
                "properties": {name: TOKENS[name] for name in ("access_token", "refresh_token")},
            },
        },
    },
    "LoginErrors": {
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": {"type": "integer"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "message": {"type": "string"},
                        "code": {"type": "string"},
                        "param": {"type": "string", "description": "The field; none: the whole."},
                    },
                },
            },
        },
    },
}
LOGGED_IN = "LoggedIn", "Logged in."
NOT_YET = "LoggedIn", "Not logged in: `flows` says what is to be done."
GONE = "LoggedIn", "The login has ended."
WRONG = "LoginErrors", "Something is wrong with a field."
SO_ALREADY = "LoginErrors", "You are logged in already."
#: The path below /api/v1/auth/app/v1/, the method, the operation's name, what it does, its body, its answers.
OPERATIONS: list[tuple[str, str, str, str, str | None, dict[int, tuple[str, str]]]] = [
    (
        *("auth/signup", "post", "auth_sign_up", "Sign up as a driver of a network, and be logged in.", "SignUp"),
        {200: LOGGED_IN, 400: WRONG, 409: SO_ALREADY},
    ),
    (
        *("auth/login", "post", "auth_login", "Log in with e-mail address and password.", "Login"),
        {200: LOGGED_IN, 400: WRONG, 401: NOT_YET, 409: SO_ALREADY},
    ),
    (
        *("auth/2fa/authenticate", "post", "auth_second_factor", "The second step of a login, where one was set up."),
        *("SecondFactor", {200: LOGGED_IN, 400: WRONG, 401: NOT_YET}),
    ),
    (
        "auth/session",
        "get",
        "auth_session",
        "Whether the login still holds, and whose it is.",
        None,
        {200: LOGGED_IN, 401: NOT_YET, 410: GONE},
    ),
    (
        *(
            "auth/session",
            "delete",
            "auth_logout",
            "Log out: the tokens are worth nothing any more. Answers 401, since you are out.",
            None,
        ),
        {401: NOT_YET, 410: GONE},
    ),
    (
        *("tokens/refresh", "post", "auth_refresh", "New tokens for a refresh token, which is used up by it.", "Refresh"),
        {200: ("Refreshed", "The new ones."), 400: ("LoginErrors", "It is unknown, used, expired, or its login has ended.")},
    ),
    (
        *("auth/password/request", "post", "auth_password_request", "Have a mail sent with a link to set a new password.", "Email"),
        {200: ("LoginErrors", "It was sent, if there is such an account."), 400: WRONG},
    ),
    (
        *("account/password/change", "post", "auth_password_change", "Set a new password.", "NewPassword"),
        {200: LOGGED_IN, 400: WRONG, 401: NOT_YET},
    ),
]
#: What else allauth has (other e-mail addresses, telephones) is not offered: it knows nothing of our rules, nor of the audit.
NOT_OFFERED = rf"^api/v1/auth/(?!app/v1/(?:{'|'.join(sorted({path for path, *_ in OPERATIONS}))})\Z)"
#: What is shown by whom is logged in, or is about to be.
SHOWS = {"auth_session", "auth_logout", "auth_password_change"}


def with_login(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook: it knows nothing of allauth's views."""
    root = reverse("headless:app:tokens:refresh").removesuffix("tokens/refresh")
    result["components"]["schemas"] |= SCHEMAS
    for path, method, name, text, body, answers in OPERATIONS:
        operation: dict[str, Any] = {
            "operationId": name,
            "description": text,
            "tags": ["auth"],
            "security": [{"Bearer": []}] if name in SHOWS else [{}],
            "responses": {
                str(status): {"description": words, "content": _json(schema)} for status, (schema, words) in answers.items()
            }
            | {"429": {"description": "Too often: wait, then try again."}},
        }
        if body:
            operation["requestBody"] = {"required": True, "content": _json(body)}
        if name == "auth_second_factor":
            operation["parameters"] = [
                {"name": "X-Session-Token", "in": "header", "required": True, "schema": {"type": "string"}},
            ]
        result["paths"].setdefault(root + path, {})[method] = operation
    result["paths"] = dict(sorted(result["paths"].items()))
    return result


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
