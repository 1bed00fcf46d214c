"""What is told of a network to those who subscribed to it (`stations.outbox.want`). `billing` adds its own."""

TRANSACTION_STARTED = "transaction.started"
TRANSACTION_UPDATED = "transaction.updated"
TRANSACTION_ENDED = "transaction.ended"
STATION_ONLINE = "station.online"
STATION_OFFLINE = "station.offline"
STATION_FAULTED = "station.faulted"
COMMAND_FINISHED = "command.finished"
# Told to those of the core that act on it, and to nobody outside: the object is the station.
STATION_BOOTED = "station.booted"
LIST_CONFLICT = "station.list_conflict"
#: With facts: a station was made to forget an id token (`station`, its key; `id_token`; `type`).
TOKEN_FORGOTTEN = "station.token_forgotten"  # noqa: S105  (the name of a topic)
OF_THE_CORE = frozenset({STATION_BOOTED, LIST_CONFLICT, TOKEN_FORGOTTEN})
