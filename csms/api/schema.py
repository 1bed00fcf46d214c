"""What OpenAPI says of every operation alike: how it fails, and what commands take."""

from dataclasses import MISSING, fields
from typing import Any, get_args, get_type_hints

from stations.domain.commands import COMMANDS, Command
from stations.services.commands import LONGEST_WAIT_S

PROBLEM = {
    "type": "object",
    "description": "An error (RFC 9457): what is wrong, and what would be right.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "For people: cause and remedy."},
        "code": {"type": "string", "description": "Of what charge/ refuses: the reason in a word."},
        "errors": {"type": "object", "additionalProperties": {}, "description": 'By field or parameter; "" is the whole.'},
    },
}
WHY = {
    400: "A filter, ordering, cursor or body that makes no sense.",
    401: "No key, or one that is unknown, expired or whose person is not active.",
    403: "The key's scope or the person's role does not allow it.",
    404: "It is not there, or belongs to another operator.",
    406: "Only JSON can be had.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    429: "More requests in this minute than one key may make.",
}
ASKS = {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "How to authenticate."}}
WAITS = {"Retry-After": {"schema": {"type": "integer"}, "description": "In how many seconds to ask again."}}


def every_error(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's postprocessing hook: the errors each operation may answer, as problems."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                _told(parameter)
            answers = operation["responses"]
            may = {401, 403, 406, 429} | ({404} if "{" in path else set())
            may |= {400} if "requestBody" in operation or _narrowed(operation) else set()
            may |= {413, 415} if "requestBody" in operation else set()
            for status in sorted(may - {int(status) for status in answers}):
                answers[str(status)] = {"description": WHY[status]}
            for status in [status for status in answers if status >= "400"]:
                answers[status]["content"] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
            answers["401"]["headers"], answers["429"]["headers"] = ASKS, WAITS
            operation["responses"] = dict(sorted(answers.items()))
    return result


def _told(parameter: dict[str, Any]) -> None:
    """What `csms.api.filters.Backend` refuses: a parameter that is empty, or that no column could hold."""
    schema = parameter["schema"]
    if parameter["in"] == "query" and schema.get("type") == "string" and "enum" not in schema:
        schema["pattern"] = r"^[^\x00]*[^\s\x00\x1c-\x1f\x85][^\x00]*$"
    elif parameter["in"] == "query" and schema.get("type") == "integer":
        schema.setdefault("minimum", 0)


def _narrowed(operation: dict[str, Any]) -> bool:
    return any(parameter["in"] == "query" for parameter in operation.get("parameters", ()))


def asked() -> dict[str, Any]:
    """The body that asks for a command: one form for each."""
    return {"oneOf": [_form(kind, command) for kind, command in COMMANDS.items()]}


def _form(kind: str, command: type[Command]) -> dict[str, Any]:
    hints = get_type_hints(command)
    needed = [one.name for one in fields(command) if one.default is MISSING and one.default_factory is MISSING]
    params: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            one.name: _type(hints[one.name]) | ({} if one.default in (MISSING, None) else {"default": one.default})
            for one in fields(command)
            if one.name not in command.ours
        },
    }
    return {
        "type": "object",
        "title": kind,
        "description": " ".join((command.__doc__ or "").split()),
        "additionalProperties": False,
        "required": ["command", "params"] if needed else ["command"],
        "properties": {
            "command": {"type": "string", "enum": [kind]},
            "params": params | ({"required": needed} if needed else {}),
            "expires_in": {
                **{"type": "integer", "minimum": 1, "maximum": LONGEST_WAIT_S, "nullable": True},
                "description": f"Seconds it waits for a station that is offline; {command.expires_s} if left out or null.",
            },
            "reason": {"type": "string", "maxLength": 200, "description": "Why it is asked, for whoever reads it later."},
        },
    }


JSON_TYPES: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    list[str]: {"type": "array", "items": {"type": "string"}},
    list[int]: {"type": "array", "items": {"type": "integer"}},
    dict[str, Any]: {"type": "object", "additionalProperties": {}},
    list[dict[str, Any]]: {"type": "array", "items": {"type": "object", "additionalProperties": {}}},
}


def _type(hint: Any) -> dict[str, Any]:
    if hint in JSON_TYPES:
        return dict(JSON_TYPES[hint])
    (of,) = (one for one in get_args(hint) if one is not type(None))
    return JSON_TYPES[of] | {"nullable": True}
