"""Who may do what: role by verb, the whole of it."""

from django.contrib.auth.models import AnonymousUser

from accounts.models import Kind, Role, User

ALL = frozenset(Role)
MAY: dict[str, frozenset[Role]] = {
    "view": ALL,
    "tags.change": frozenset({Role.OWNER, Role.MANAGER, Role.SUPPORT}),
    "commands.send": frozenset({Role.OWNER, Role.MANAGER, Role.TECHNICIAN, Role.SUPPORT}),
    "transactions.repair": frozenset({Role.OWNER, Role.MANAGER, Role.FINANCE, Role.SUPPORT}),
    "stations.change": frozenset({Role.OWNER, Role.MANAGER, Role.TECHNICIAN}),
    "firmware.change": frozenset({Role.OWNER, Role.MANAGER, Role.TECHNICIAN}),
    "quirks.change": frozenset({Role.OWNER, Role.MANAGER, Role.TECHNICIAN}),
    "logs.fetch": frozenset({Role.OWNER, Role.MANAGER, Role.TECHNICIAN, Role.SUPPORT}),
    "customers.fetch": frozenset({Role.OWNER, Role.MANAGER, Role.SUPPORT}),
    "tariffs.change": frozenset({Role.OWNER, Role.MANAGER, Role.FINANCE}),
    "billing.correct": frozenset({Role.OWNER, Role.MANAGER, Role.FINANCE}),
    "receipts.view": frozenset({Role.OWNER, Role.MANAGER, Role.FINANCE, Role.SUPPORT}),
    "receipts.change": frozenset({Role.OWNER, Role.FINANCE}),
    "webhooks.change": frozenset({Role.OWNER, Role.MANAGER}),
    "forwards.change": frozenset({Role.OWNER, Role.MANAGER}),
    "audit.view": frozenset({Role.OWNER, Role.MANAGER}),
    "people.change": frozenset({Role.OWNER}),
}

#: What a key may be limited to: "read" (safe methods only) or single verbs.
KEY_SCOPES = frozenset({"read", *MAY} - {"view"})


def may(user: User | AnonymousUser | None, verb: str) -> bool:
    """Whether a person may do it, in their own operator's network: never a driver. An unknown verb is a programming error."""
    roles = MAY[verb]
    if not isinstance(user, User) or not user.is_active:
        return False
    return user.is_superuser or (user.kind == Kind.STAFF and user.operator_id is not None and user.role in roles)


def key_may(scopes: list[str], verb: str) -> bool:
    """Whether a key's scopes allow what its user may do. None given: everything."""
    return not scopes or verb in scopes or (verb == "view" and "read" in scopes)
