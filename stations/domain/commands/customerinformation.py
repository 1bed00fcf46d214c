"""Chapter N, privacy: what a station keeps of a customer."""

from stations.domain.command import Command

ALL: tuple[type[Command], ...] = ()
