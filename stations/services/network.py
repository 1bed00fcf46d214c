"""Network profiles (OCPP 2.0.1 B09): how a station may reach a management system, slot by slot, as far as it took them.

What is secret in one is sealed from the asking to the sending, and then forgotten.
"""

from datetime import datetime
from typing import Any

import orjson

from stations import models, ports
from stations.batch import Batch
from stations.domain import commands
from stations.domain.commands import BadCommand, SetNetworkProfile
from stations.domain.commands.network import SEALED
from stations.flush import Cursor
from stations.models import CommandStatus, Station
from stations.services.companions import Companion

#: Where stations keep the order of their slots, and the one they use.
CONTROLLER, PRIORITY, ACTIVE = "OCPPCommCtrlr", "NetworkConfigurationPriority", "ActiveNetworkProfile"


def made(row: models.Command, station: Station, command: commands.Command) -> None:
    """Seal what is secret."""
    assert isinstance(command, SetNetworkProfile)
    if command.secrets():
        kept = command.with_secrets(lambda secret: secret if secret.startswith(SEALED) else SEALED + ports.box.seal(secret))
        # The CALL as it was written holds the secrets too; what is sealed says the same.
        row.params, row.facts = kept.params(), {name: fact for name, fact in row.facts.items() if name != "raw"}
        row.save(update_fields=["params", "facts"])


def opened(command: commands.Command) -> commands.Command:
    """The command with what is sealed in its row as it is said. Raises BadCommand if the keys for it are gone."""
    if not isinstance(command, SetNetworkProfile) or not command.secrets():
        return command
    return command.with_secrets(_opened)


def _opened(secret: str) -> str:
    if not secret.startswith(SEALED):
        return secret
    plain = ports.box.unseal(secret.removeprefix(SEALED))
    if plain is None:
        raise BadCommand("The secrets of the profile cannot be read: the keys of the stations' passwords have changed. Ask again.")
    return plain


STORE = """
INSERT INTO stations_networkprofile AS p (operator_id, station_id, slot, url, security_profile, interface, message_timeout_s,
    ocpp_version, transport, apn, vpn, command_id, set_at)
VALUES (%(operator)s, %(station)s, %(slot)s, %(url)s, %(security_profile)s, %(interface)s, %(message_timeout_s)s,
    %(ocpp_version)s, %(transport)s, %(apn)s::jsonb, %(vpn)s::jsonb, %(command)s, %(now)s)
ON CONFLICT (station_id, slot) DO UPDATE SET url = EXCLUDED.url, security_profile = EXCLUDED.security_profile,
    interface = EXCLUDED.interface, message_timeout_s = EXCLUDED.message_timeout_s, ocpp_version = EXCLUDED.ocpp_version,
    transport = EXCLUDED.transport, apn = EXCLUDED.apn, vpn = EXCLUDED.vpn, command_id = EXCLUDED.command_id,
    set_at = EXCLUDED.set_at
"""
LOOK = "UPDATE stations_networkmove SET due_at = %s WHERE command_id = %s AND finished_at IS NULL"


def answered(batch: Batch, command_id: int, change: dict[str, Any], facts: dict[str, Any]) -> None:
    """What a station took stands in its slot from now on (B09)."""
    batch.cursor.execute(LOOK, (batch.now, command_id))
    if change["status"] != CommandStatus.CONFIRMED:
        return
    row = batch.cursor.execute("SELECT params FROM stations_command WHERE id = %s", (command_id,)).fetchone()
    assert row is not None
    # On Django's connections JSON comes as text.
    params = orjson.loads(row[0]) if isinstance(row[0], str) else row[0]
    kept = SetNetworkProfile.of(params).without_secrets()
    parts = {name: None if kept[name] is None else orjson.dumps(kept[name]).decode() for name in ("apn", "vpn")}
    whose = {"operator": batch.station.operator_id, "station": batch.station.id, "command": command_id, "now": batch.now}
    batch.cursor.execute(STORE, kept | parts | whose)


def ended(cursor: Cursor, command_id: int, status: str, now: datetime) -> None:
    """It never left, or its answer was lost: a move that waits for it is looked at."""
    cursor.execute(LOOK, (now, command_id))


COMPANIONS = {SetNetworkProfile.kind: Companion(made, answered, ended)}
