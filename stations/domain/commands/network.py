"""Chapter B: how a station reaches us."""

from stations.domain.command import Command

ALL: tuple[type[Command], ...] = ()
