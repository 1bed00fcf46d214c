"""Who: operators (tenants), people, programs, and the id tokens drivers present."""

from accounts.models.apikey import ApiKey
from accounts.models.audit import AuditEntry
from accounts.models.invitation import Invitation
from accounts.models.operator import Operator
from accounts.models.savedview import SavedView
from accounts.models.token import FormerIdTag, IdToken, IdTokenGroup, IdTokenStatus, IdTokenType
from accounts.models.user import Kind, Role, User

__all__ = [
    "ApiKey",
    "AuditEntry",
    "FormerIdTag",
    "IdToken",
    "IdTokenGroup",
    "IdTokenStatus",
    "IdTokenType",
    "Invitation",
    "Kind",
    "Operator",
    "Role",
    "SavedView",
    "User",
]
