"""Chapter D: the list of tokens a station keeps."""

from stations.domain.command import Command

ALL: tuple[type[Command], ...] = ()
