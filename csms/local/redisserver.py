"""A private Redis. It keeps nothing on disk: all truth is in PostgreSQL, an empty Redis costs latency only."""

import redis

from csms.local import binaries
from csms.local.homes import Home
from csms.local.ports import start_on_a_port
from csms.local.processes import Claim

SETTINGS = """\
bind 127.0.0.1
port {port}
requirepass {password}
maxmemory-policy noeviction
save ""
appendonly no
daemonize no
"""


def start(claim: Claim, home: Home, *, password: str, port: int | None) -> int:
    """Start it; returns the port."""
    program = binaries.find_redis(home)

    def command(port: int) -> list[str]:
        # A password on the command line would be everybody's to read.
        return [str(program), str(home.write("redis.conf", SETTINGS.format(port=port, password=password)))]

    def answers(port: int) -> bool:
        try:
            with redis.Redis(port=port, password=password, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    return start_on_a_port(claim, home, "redis", command, answers, port=port)
