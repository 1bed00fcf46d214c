"""Chapter K: charging profiles."""

from stations.domain.command import Command

ALL: tuple[type[Command], ...] = ()
