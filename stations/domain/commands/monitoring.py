"""Chapter N: what a station watches."""

from stations.domain.command import Command

ALL: tuple[type[Command], ...] = ()
