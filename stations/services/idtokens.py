"""The id token that a command names, as the operator knows it."""

from accounts.models import IdToken
from stations.domain.commands import RemoteStart, ReserveNow
from stations.models import Command, Station


def named(station: Station, command: RemoteStart | ReserveNow) -> IdToken | None:
    """That of the same type, else any of that value: not every version tells types apart."""
    found = IdToken.objects.filter(operator_id=station.operator_id, key=command.id_token.upper()).select_related("group")
    return found.filter(type=command.id_token_type).first() or found.order_by("id").first()


def say_group(row: Command, command: RemoteStart | ReserveNow, token: IdToken | None) -> str:
    """The group that is said with a command: the one it names, else the token's own, which goes into the facts of its row: what was
    asked stays as it was asked. The row is saved by the caller."""
    if command.group or token is None or token.group is None:
        return command.group
    row.facts = row.facts | {"group": token.group.name}
    return token.group.name
