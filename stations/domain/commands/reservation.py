"""Chapter H: reservations."""

from stations.domain.command import Command

ALL: tuple[type[Command], ...] = ()
