"""Who: operators (tenants), people, programs, and the id tokens drivers present."""

from accounts.models.apikey import ApiKey
from accounts.models.operator import Operator
from accounts.models.savedview import SavedView
from accounts.models.token import IdToken, IdTokenGroup, IdTokenStatus, IdTokenType
from accounts.models.user import Role, User

__all__ = ["ApiKey", "IdToken", "IdTokenGroup", "IdTokenStatus", "IdTokenType", "Operator", "Role", "SavedView", "User"]
