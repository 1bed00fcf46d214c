"""Chapter I: what it costs, for the display."""

from stations.domain.command import Command

ALL: tuple[type[Command], ...] = ()
