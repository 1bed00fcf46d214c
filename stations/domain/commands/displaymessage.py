"""Chapter O: what a station shows."""

from stations.domain.command import Command

ALL: tuple[type[Command], ...] = ()
